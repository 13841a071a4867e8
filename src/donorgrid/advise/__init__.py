"""What to train on: sources judged by joint draws of their true deltas, a decision, and sentences that say it.

In the order of the work: ``wishes`` (what is wanted, what must not break), ``options`` (what could be trained, and what
is known of it), ``judging`` (gain and harm of each option), ``deciding`` (which one, if any), ``next_step`` (what to
measure before deciding), ``sentences``.
"""
