"""Alerts: a server looks at itself every few minutes, and tells once what is wrong, and once that it is over."""
