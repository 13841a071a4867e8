"""What ``benchmarks/gpu/run.py`` measures.

- ``shapes``: the shapes of real models, with random weights made on the device.
- ``work``: questions of the paper's lengths, as tokens and as text.
- ``runner``: runs stages one after the other, each in a process of its own under a time limit, and keeps their results.
- ``correctness``, ``training_checks``, ``four_bit``: are the numbers right?
- ``scoring_speed``, ``training_speed``, ``peers``, ``launches``: how fast is it, and compared with what?
- ``machine``: the card and its rates. ``estimate``: what a whole grid takes, and the page.
- ``stages``: all of them in the order of their worth.
"""
