"""./wmbench sweep: worlds varied as a TOML file says.

sweep_command   the verb             grid           what is varied        worker_pool, scheduler   where it is computed
point_log, point_measures            of one point   grid_result, grid_text, grid_progress          of all points
closed_form     what theory says
"""
