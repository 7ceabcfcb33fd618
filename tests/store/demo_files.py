"""HDF5 files of demonstrations in the layouts that LIBERO and robomimic publish."""

import json

import h5py
import numpy as np

STEPS = 7
WORDS = "pick up the alphabet soup and place it in the basket"


def libero_values(seed=0, steps=STEPS):
    """What LIBERO's recorder holds of one demonstration, pictures as its renderer gives them."""
    rng = np.random.default_rng(seed)
    return {
        "actions": np.append(rng.uniform(-1, 1, (steps, 6)), rng.choice([-1, 1], (steps, 1)), 1),
        "agentview_rgb": rng.integers(0, 256, (steps, 16, 16, 3), dtype=np.uint8),
        "eye_in_hand_rgb": rng.integers(0, 256, (steps, 16, 16, 3), dtype=np.uint8),
        "ee_states": rng.standard_normal((steps, 6)),
        "gripper_states": rng.standard_normal((steps, 2)),
        "joint_states": rng.standard_normal((steps, 7)),
    }


def write_libero(path, demos=2, values=libero_values, **kinds):
    with h5py.File(path, "w") as file:
        data = file.create_group("data")
        data.attrs["problem_info"] = json.dumps(
            {"problem_name": "libero_floor_manipulation", "language_instruction": WORDS}
        )
        data.attrs["env_args"] = json.dumps({"env_kwargs": {"control_freq": 20}})
        data.attrs["bddl_file_name"] = "x/bddl_files/libero_object/pick_up_the_soup.bddl"
        data.attrs["macros_image_convention"] = "opengl"
        for number in range(demos):
            demo = data.create_group(f"demo_{number}")
            obs = demo.create_group("obs")
            for key, array in values(number).items():
                (demo if key == "actions" else obs).create_dataset(key, data=array, **kinds)
            rewards = np.zeros(STEPS, np.uint8)
            rewards[-1] = 1
            demo.create_dataset("rewards", data=rewards)
            demo.create_dataset("dones", data=rewards)
    return path


def write_robomimic(path, success):
    rng = np.random.default_rng(5)
    quaternion = np.zeros((STEPS, 4))
    quaternion[:, 2:] = np.sin(0.25), np.cos(0.25)  # half a radian about z
    with h5py.File(path, "w") as file:
        data = file.create_group("data")
        arguments = {"env_name": "Lift", "env_kwargs": {"control_freq": 10}}
        data.attrs["env_args"] = json.dumps(arguments)
        demo = data.create_group("demo_3")
        demo["actions"] = np.append(rng.uniform(-1, 1, (STEPS, 6)), -np.ones((STEPS, 1)), 1)
        demo["rewards"] = np.full(STEPS, float(success))
        obs = demo.create_group("obs")
        obs["agentview_image"] = rng.integers(0, 256, (STEPS, 8, 8, 3), dtype=np.uint8)
        obs["robot0_eef_pos"] = rng.standard_normal((STEPS, 3))
        obs["robot0_eef_quat"] = quaternion
        obs["robot0_gripper_qpos"] = rng.standard_normal((STEPS, 2))
        return {key: demo[key][()] for key in ("actions", "rewards")} | {
            key: found[()] for key, found in obs.items()
        }
