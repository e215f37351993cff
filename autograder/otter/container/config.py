"""What `otter_config.json` tells the isolation plugin."""

import os
from collections.abc import Mapping
from typing import Any, cast

PLUGIN = "autograder.otter.plugin.IsolationPlugin"


def seed_of(settings: Mapping[str, Any]) -> str:
    """The secret of the course: that of the environment, else of the plugin's settings; empty where there is none."""
    return os.environ.get("AUTOGRADER_SEED") or str(settings.get("seed", ""))


def plugin_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """The plugin's settings, `assignment` among them; ValueError when the configuration has none."""
    try:
        for plugin in cast("list[dict[str, dict[str, Any]]]", config["plugins"]):
            if PLUGIN in plugin:
                settings = plugin[PLUGIN]
                str(settings["assignment"])
                return settings
    except (KeyError, TypeError, AttributeError):
        pass
    raise ValueError(f"otter_config.json does not name {PLUGIN} with an assignment")
