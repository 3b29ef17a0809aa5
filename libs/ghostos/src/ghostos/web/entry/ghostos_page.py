"""The script that Streamlit runs for every page and after every input.

It lies in a folder of its own: while a script runs, Streamlit has that folder first on `sys.path`, where it could
stand in the place of a module that the user's file imports.
"""

from ghostos.web.page import draw_page

draw_page()
