"""Everything that is Otter's: the plugin, the kernel's side of it, `otter grade` and its containers."""
