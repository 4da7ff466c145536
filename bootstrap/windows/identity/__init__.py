"""Where the agent of Azure Arc lies on Windows, and how its keys are read."""
