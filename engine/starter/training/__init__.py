"""Training of the starter networks, in resumable stages: guide, judge, generator, prior."""
