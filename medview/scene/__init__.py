"""Pictures of volumes and surfaces in three dimensions, made in a process of their own."""
