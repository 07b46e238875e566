"""How the service is run on several processes and machines; README.md here tells it."""
