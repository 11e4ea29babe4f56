"""VPD Workbench: sample visual programs, run them safely, keep the verified ones, distil them."""

__version__ = "0.1.0"
