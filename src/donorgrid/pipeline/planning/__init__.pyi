from . import plan_study as plan_study
from . import power as power
from . import simulation as simulation
from . import study_cost as study_cost
