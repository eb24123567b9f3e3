"""Casewell: who would gain most from case management, and is the list fair?"""

__version__ = "0.1.0"
