from .answers import simulate_answers as simulate_answers
from .settings import SimulationSettings as SimulationSettings
from .tables import SimulatedTables as SimulatedTables
from .tables import simulate_tables as simulate_tables
from .truth import true_deltas as true_deltas
