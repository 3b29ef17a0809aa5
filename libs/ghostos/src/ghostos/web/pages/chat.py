"""The page on which one talks: all of it is the live pane."""

from ghostos.web.current_thread import get_thread, is_new_chosen, show_thread
from ghostos.web.live_pane import mount_pane

__all__ = ["draw_chat_page"]


def draw_chat_page() -> None:
    """Draw the pane for the thread that the page's address names."""
    thread = get_thread()
    if thread is not None:
        show_thread(thread)
    mount_pane(thread=thread, is_new=is_new_chosen(), on_thread=show_thread)
