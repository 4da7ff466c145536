"""How a run is told on a machine that runs Windows.

event_log  the Application log, for whoever is not at a console
sitting    what is true of this boot only
"""
