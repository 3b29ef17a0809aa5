"""Streamlit's options, set in the process: whatever a configuration file in some folder says, these hold."""

from streamlit import config

__all__ = ["set_streamlit_options"]

_ACCENT_LIGHT = "#3b5bdb"
_ACCENT_DARK = "#91a7ff"
_TEXT_LIGHT = "#12141c"
"""Of captions Streamlit shows six tenths of it: those are to be read, too, on white and on the sidebar."""

_OPTIONS: dict[str, object] = {
    "server.headless": True,  # a browser is opened by us
    "server.allowedHosts": ["127.0.0.1", "localhost"],  # a second lock behind `own_address`, as are the next three
    "server.enableCORS": True,
    "server.corsAllowedOrigins": [],
    "server.enableXsrfProtection": True,
    "server.xsrfCookieSameSite": "strict",
    "server.baseUrlPath": "",  # the address that we say is the one that is served
    "server.customComponentBaseUrlPath": "",
    "server.sslCertFile": None,
    "server.sslKeyFile": None,
    "server.trustedUserHeaders": {},
    "server.scriptHealthCheckEnabled": False,
    "client.allowedOrigins": [],  # no page of another site may steer ours
    "secrets.files": [],  # Streamlit would put them into this process's environment
    "server.fileWatcherType": "none",  # an edit of the target would import everything anew, and make a second Matrix
    "server.runOnSave": False,
    "server.allowRunOnSave": False,
    "server.showEmailPrompt": False,
    "server.enableStaticServing": False,
    "server.enableAgentApi": False,
    "runner.magicEnabled": False,
    "runner.postScriptGC": False,  # a collection after every run slows the ghosts of this process down
    "browser.gatherUsageStats": False,
    "browser.serverAddress": "127.0.0.1",
    "client.toolbarMode": "minimal",
    "client.showErrorLinks": False,
    "client.showSidebarNavigation": True,
    "global.developmentMode": False,
    "logger.level": "warning",
    "logger.hideWelcomeMessage": True,
    "theme.baseFontSize": 15,
    "theme.codeFontSize": "0.875rem",
    "theme.baseRadius": "0.5rem",
    "theme.headingFontSizes": ["1.5rem", "1.3rem", "1.15rem", "1.05rem", "1rem", "1rem"],
    "theme.headingFontWeights": [600, 600, 600, 600, 600, 600],
    "theme.linkUnderline": True,
    "theme.paddingTop": "1.5rem",
    "theme.light.textColor": _TEXT_LIGHT,
    "theme.light.primaryColor": _ACCENT_LIGHT,
    "theme.light.linkColor": _ACCENT_LIGHT,
    "theme.dark.primaryColor": _ACCENT_DARK,
    "theme.dark.linkColor": _ACCENT_DARK,
}


def set_streamlit_options(*, host: str, port: int, debug: bool) -> None:
    """Set all options; harmless twice.

    Args:
        host: Where the server listens.
        port: Where the server listens.
        debug: Show an error of the page with its traceback in the page. It is always in the log.
    """
    for name, value in _OPTIONS.items():
        config.set_option(name, value)
    config.set_option("server.address", host)
    config.set_option("server.port", port)
    config.set_option("browser.serverPort", port)
    config.set_option("client.showErrorDetails", "full" if debug else "type")
