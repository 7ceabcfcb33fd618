"""LIBERO: forty and ninety tabletop tasks of a simulated Panda arm, behind the Robot seam."""
