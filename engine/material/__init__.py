"""From decoded pictures to PBR maps and files."""
