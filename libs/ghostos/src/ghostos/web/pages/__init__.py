"""The pages of the web agent, one module each: each draws itself for the application that is served."""
