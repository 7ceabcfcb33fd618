"""Plays a RealSense camera without hardware: writes a recording, or looks through alignment.

Run as a script, because pyrealsense2 and rclpy do not like each other in one process.
"""

import sys
import time

import numpy as np

from bridges.cameras.realsense_process import aligned, load_library

WIDTH, HEIGHT, FRAMES = 64, 48, 45


def stream(rs, kind, number, form, bytes_px):
    made = rs.video_stream()
    made.type, made.index, made.uid, made.fmt, made.bpp = kind, 0, number, form, bytes_px
    made.width, made.height, made.fps = WIDTH, HEIGHT, 30
    lens = rs.intrinsics()
    lens.width, lens.height, lens.ppx, lens.ppy = WIDTH, HEIGHT, WIDTH / 2, HEIGHT / 2
    lens.fx = lens.fy = 60.0
    lens.model, lens.coeffs = rs.distortion.brown_conrady, [0] * 5
    made.intrinsics = lens
    return made


def device(rs, baseline_m=0.0):
    """A depth and a colour sensor; the colour one stands baseline_m to the right."""
    made = rs.software_device()
    depth, colour = made.add_sensor("Depth"), made.add_sensor("Color")
    seen = depth.add_video_stream(stream(rs, rs.stream.depth, 0, rs.format.z16, 2))
    shown = colour.add_video_stream(stream(rs, rs.stream.color, 1, rs.format.rgb8, 3))
    depth.add_read_only_option(rs.option.depth_units, 0.001)
    between = rs.extrinsics()
    between.rotation = [1, 0, 0, 0, 1, 0, 0, 0, 1]
    between.translation = [-baseline_m, 0, 0]
    seen.register_extrinsics_to(shown, between)
    return made, ((depth, seen, 2), (colour, shown, 3))


def pictures(number):
    """Depth 0.5 m and a little more with each frame; red grows, the left half is green."""
    depth = np.full((HEIGHT, WIDTH), 500 + number, np.uint16)
    colour = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    colour[..., 0] = 5 * number
    colour[:, : WIDTH // 2, 1] = 200
    return depth, colour


def show(rs, sensors, number, shown):
    for pixels, (sensor, profile, bytes_px) in zip(shown, sensors, strict=True):
        frame = rs.software_video_frame()
        frame.pixels, frame.bpp, frame.stride = pixels, bytes_px, WIDTH * bytes_px
        frame.timestamp, frame.domain = number * 33.0, rs.timestamp_domain.hardware_clock
        frame.frame_number, frame.profile = number, profile.as_video_stream_profile()
        if bytes_px == 2:
            frame.depth_units = 0.001
        sensor.on_video_frame(frame)


def record(rs, path):
    made, sensors = device(rs)
    recorder = rs.recorder(path, made)
    queue = rs.frame_queue(50)
    playing = recorder.query_sensors()
    for sensor, (_, profile, _) in zip(playing, sensors, strict=True):
        sensor.open(profile)
        sensor.start(queue)
    kept = []
    for number in range(FRAMES):
        kept.append(pictures(number))
        show(rs, sensors, number, kept[-1])
        time.sleep(0.004)
    for sensor in playing:
        sensor.stop()
        sensor.close()
    del recorder


def align_one(rs, baseline_m):
    """The depth that each colour pixel of a device with a baseline sees: a wall at 0.5 m."""
    _kept, sensors = device(rs, baseline_m)
    syncer = rs.syncer()
    for sensor, profile, _ in sensors:
        sensor.open(profile)
        sensor.start(syncer)
    align = rs.align(rs.stream.color)
    for number in range(10):
        shown = pictures(0)
        show(rs, sensors, number, shown)
        frames = syncer.wait_for_frames(1000)
        pair = aligned(frames, align)
        if pair is not None:
            return pair
    raise SystemExit("no frame had both")


if __name__ == "__main__":
    library = load_library()
    if sys.argv[1] == "record":
        record(library, sys.argv[2])
    else:
        colour, depth = align_one(library, float(sys.argv[2]))
        np.savez(sys.argv[3], colour=colour, depth=depth)
