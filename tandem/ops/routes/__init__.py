"""Routes are data: ``deploy/routes.yml`` says which path is served where."""
