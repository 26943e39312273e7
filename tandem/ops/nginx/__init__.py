"""nginx's files, made of the routes and of the settings of a place."""
