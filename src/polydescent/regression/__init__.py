"""What users hold and how they ask: Summary, Fit, and the three verbs."""
