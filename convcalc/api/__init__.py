"""Floor 8: what `convcalc` offers to Python: functions whose results can be looked at; the commands call them too."""
