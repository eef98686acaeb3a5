"""The rig: runs scenarios against worlds, decides, and leaves a run directory. Nobody imports it from elsewhere."""
