pytest_plugins = ["pytester", "tests.octave.collector"]
