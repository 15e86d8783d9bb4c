"""Runs the tests of a module, and writes a line of TAP for each that passed: its class, which says what is tested,
and its name."""

import sys
import unittest


class Result(unittest.TextTestResult):
    def addSuccess(self, test):
        super().addSuccess(test)
        print(f"ok {self.testsRun} - {type(test).__name__.lower()}: {test._testMethodName}", flush=True)


if __name__ == "__main__":
    runner = unittest.TextTestRunner(resultclass=Result, verbosity=2)
    unittest.main(module=sys.argv.pop(), testRunner=runner)
