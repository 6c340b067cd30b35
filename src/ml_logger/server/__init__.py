"""The server: routes over the store and the engine; never imports the client."""
