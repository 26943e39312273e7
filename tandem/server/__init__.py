"""What runs inside the processes of Uvicorn and Gunicorn, around a site's application."""
