"""Where pictures come from: ROS topics, OpenCV, RealSense."""
