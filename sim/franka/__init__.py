"""A simulated Franka behind the same ROS 2 topics as a real one."""
