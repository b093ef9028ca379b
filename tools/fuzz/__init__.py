"""Inputs that nobody wrote, given to the whole program, and what must hold for each of them.

python -m tools.fuzz specs --count 20000 --seed 1 --jobs 2
python -m tools.fuzz all --count 200000

An input is a case: arguments, files, standard input (`case.py`). A generator makes it from a seed and a number alone
(`generators/`), the program runs in a worker's process (`run.py`), oracles say what is wrong with what it did
(`oracles.py`), processes that die or hang are replaced (`workers.py`), and what fails is made small (`shrink.py`).
"""
