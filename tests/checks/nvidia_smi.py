#!/usr/bin/env python3
"""nvidia_smi.py GAUGED [--library PATH]: every figure of real NVIDIA GPUs beside `nvidia-smi -q -x` of the same moment.

nvidia-smi is asked before and after gauged. What stands still must be equal; what moves must lie between the two,
with a tolerance for what moved meanwhile. What nvidia-smi does not tell (N/A) gauged must not tell either, where one
call answers both. Run it idle and under load. Without a GPU, or without nvidia-smi, it is SKIPPED."""

import argparse
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as xml

from daemon import Daemon, Report, need, skip
from exposition import read

NAME = "nvidia_smi"
MIB = 1 << 20

# path in the XML; family; further labels; factor to the base unit; tolerance in that unit (None: must be equal).
FIGURES = [
    ("fb_memory_usage/total", "gpu_memory_total_bytes", {}, MIB, MIB),
    ("fb_memory_usage/reserved", "gpu_memory_reserved_bytes", {}, MIB, MIB),
    ("fb_memory_usage/used", "gpu_memory_used_bytes", {}, MIB, 64 * MIB),
    ("fb_memory_usage/free", "gpu_memory_available_bytes", {}, MIB, 64 * MIB),
    ("bar1_memory_usage/total", "gpu_bar1_total_bytes", {}, MIB, MIB),
    ("bar1_memory_usage/used", "gpu_bar1_used_bytes", {}, MIB, 2 * MIB),
    ("utilization/gpu_util", "gpu_utilization_ratio", {}, 0.01, 0.3),
    ("utilization/memory_util", "gpu_engine_utilization_ratio", {"engine": "memory"}, 0.01, 0.3),
    ("utilization/encoder_util", "gpu_engine_utilization_ratio", {"engine": "encoder"}, 0.01, 0.3),
    ("utilization/decoder_util", "gpu_engine_utilization_ratio", {"engine": "decoder"}, 0.01, 0.3),
    ("utilization/jpeg_util", "gpu_engine_utilization_ratio", {"engine": "jpeg"}, 0.01, 0.3),
    ("utilization/ofa_util", "gpu_engine_utilization_ratio", {"engine": "ofa"}, 0.01, 0.3),
    ("temperature/gpu_temp", "gpu_temperature_celsius", {"sensor": "core"}, 1, 2),
    ("temperature/memory_temp", "gpu_temperature_celsius", {"sensor": "memory"}, 1, 2),
    ("temperature/gpu_temp_tlimit", "gpu_temperature_margin_celsius", {}, 1, 2),
    ("temperature/gpu_temp_max_threshold", "gpu_temperature_limit_celsius", {"limit": "shutdown"}, 1, None),
    ("temperature/gpu_temp_slow_threshold", "gpu_temperature_limit_celsius", {"limit": "slowdown"}, 1, None),
    ("temperature/gpu_temp_max_gpu_threshold", "gpu_temperature_limit_celsius", {"limit": "gpu_max"}, 1, None),
    ("temperature/gpu_temp_max_mem_threshold", "gpu_temperature_limit_celsius", {"limit": "memory_max"}, 1, None),
    ("temperature/gpu_temp_max_tlimit_threshold", "gpu_temperature_margin_limit_celsius", {"limit": "shutdown"}, 1, None),
    ("temperature/gpu_temp_slow_tlimit_threshold", "gpu_temperature_margin_limit_celsius", {"limit": "slowdown"}, 1, None),
    ("gpu_power_readings/average_power_draw", "gpu_power_watts", {}, 1, 15),
    ("gpu_power_readings/current_power_limit", "gpu_power_limit_watts", {"limit": "enforced"}, 1, None),
    ("gpu_power_readings/requested_power_limit", "gpu_power_limit_watts", {"limit": "requested"}, 1, None),
    ("gpu_power_readings/default_power_limit", "gpu_power_limit_watts", {"limit": "default"}, 1, None),
    ("gpu_power_readings/min_power_limit", "gpu_power_limit_watts", {"limit": "min"}, 1, None),
    ("gpu_power_readings/max_power_limit", "gpu_power_limit_watts", {"limit": "max"}, 1, None),
    ("gpu_memory_power_readings/average_power_draw", "gpu_memory_power_watts", {}, 1, 5),
    ("module_power_readings/average_power_draw", "gpu_module_power_watts", {}, 1, 30),
    ("clocks/graphics_clock", "gpu_clock_hertz", {"clock": "graphics"}, 1e6, 3e8),
    ("clocks/sm_clock", "gpu_clock_hertz", {"clock": "sm"}, 1e6, 3e8),
    ("clocks/mem_clock", "gpu_clock_hertz", {"clock": "memory"}, 1e6, 3e8),
    ("clocks/video_clock", "gpu_clock_hertz", {"clock": "video"}, 1e6, 3e8),
    ("max_clocks/graphics_clock", "gpu_clock_max_hertz", {"clock": "graphics"}, 1e6, None),
    ("max_clocks/sm_clock", "gpu_clock_max_hertz", {"clock": "sm"}, 1e6, None),
    ("max_clocks/mem_clock", "gpu_clock_max_hertz", {"clock": "memory"}, 1e6, None),
    ("max_clocks/video_clock", "gpu_clock_max_hertz", {"clock": "video"}, 1e6, None),
    ("pci/replay_counter", "gpu_pcie_replays_total", {}, 1, 10),
    ("pci/pci_gpu_link_info/pcie_gen/current_link_gen", "gpu_pcie_link_generation", {}, 1, 3),
    ("pci/pci_gpu_link_info/pcie_gen/max_link_gen", "gpu_pcie_link_generation_max", {}, 1, None),
    ("pci/pci_gpu_link_info/link_widths/current_link_width", "gpu_pcie_link_width", {}, 1, None),
    ("pci/pci_gpu_link_info/link_widths/max_link_width", "gpu_pcie_link_width_max", {}, 1, None),
    ("fan_speed", "gpu_fan_speed_ratio", {"fan": "0"}, 0.01, 0.05),
    ("ecc_errors/volatile/sram_correctable", "gpu_ecc_volatile_errors_total", {"error": "corrected", "location": "sram"}, 1, None),
    ("ecc_errors/volatile/dram_correctable", "gpu_ecc_volatile_errors_total", {"error": "corrected", "location": "device_memory"}, 1, None),
    ("ecc_errors/volatile/dram_uncorrectable", "gpu_ecc_volatile_errors_total", {"error": "uncorrected", "location": "device_memory"}, 1, None),
    ("ecc_errors/aggregate/sram_correctable", "gpu_ecc_aggregate_errors_total", {"error": "corrected", "location": "sram"}, 1, None),
    ("ecc_errors/aggregate/dram_correctable", "gpu_ecc_aggregate_errors_total", {"error": "corrected", "location": "device_memory"}, 1, None),
    ("ecc_errors/aggregate/dram_uncorrectable", "gpu_ecc_aggregate_errors_total", {"error": "uncorrected", "location": "device_memory"}, 1, None),
    ("remapped_rows/remapped_row_corr", "gpu_remapped_rows", {"cause": "corrected"}, 1, None),
    ("remapped_rows/remapped_row_unc", "gpu_remapped_rows", {"cause": "uncorrected"}, 1, None),
    ("remapped_rows/row_remapper_histogram/row_remapper_histogram_max", "gpu_row_remap_banks", {"availability": "max"}, 1, None),
    ("remapped_rows/row_remapper_histogram/row_remapper_histogram_none", "gpu_row_remap_banks", {"availability": "none"}, 1, None),
]
# path in the XML; family; further labels; the words that mean 1 and 0.
STATES = [
    ("persistence_mode", "gpu_persistence_mode_enabled", {}, "Enabled", "Disabled"),
    ("ecc_mode/current_ecc", "gpu_ecc_mode_enabled", {}, "Enabled", "Disabled"),
    ("mig_mode/current_mig", "gpu_mig_mode_enabled", {}, "Enabled", "Disabled"),
    ("remapped_rows/remapped_row_pending", "gpu_row_remap_pending", {}, "Yes", "No"),
    ("remapped_rows/remapped_row_failure", "gpu_row_remap_failure", {}, "Yes", "No"),
    ("ecc_errors/aggregate/sram_threshold_exceeded", "gpu_ecc_sram_threshold_exceeded", {}, "Yes", "No"),
    ("clocks_event_reasons/clocks_event_reason_sw_power_cap", "gpu_throttled", {"reason": "sw_power_cap"}, "Active", "Not Active"),
    ("clocks_event_reasons/clocks_event_reason_hw_slowdown", "gpu_throttled", {"reason": "hw_slowdown"}, "Active", "Not Active"),
    ("clocks_event_reasons/clocks_event_reason_hw_thermal_slowdown", "gpu_throttled", {"reason": "hw_thermal"}, "Active", "Not Active"),
    ("clocks_event_reasons/clocks_event_reason_sw_thermal_slowdown", "gpu_throttled", {"reason": "sw_thermal"}, "Active", "Not Active"),
]
# path in the XML; the label of gpu_info that says the same.
TEXTS = [("product_name", "name"), ("uuid", "uuid"), ("vbios_version", "vbios_version"), ("serial", "serial")]


def ask_smi(smi):
    """The GPUs as nvidia-smi tells them, by UUID; and the driver's version."""
    done = subprocess.run([smi, "-q", "-x"], capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        skip(NAME, f"nvidia-smi ends with {done.returncode}: {done.stdout.strip() or done.stderr.strip()}")
    root = xml.fromstring(done.stdout)
    return {gpu.findtext("uuid", "").strip(): gpu for gpu in root.findall("gpu")}, root.findtext("driver_version")


def number(text):
    """The number that a text such as `81559 MiB`, `16x` or `P0` tells, or None."""
    found = re.search(r"-?\d+(\.\d+)?", text or "")
    return float(found.group()) if found and "N/A" not in text else None


def one(samples, family, uuid, labels):
    """The value of a GPU's series; MIG instances apart."""
    for (name, pairs), value in samples.items():
        pairs = dict(pairs)
        if name == family and pairs.get("uuid") == uuid and "mig" not in pairs:
            if all(pairs.get(key) == wanted for key, wanted in labels.items()):
                return value
    return None


def show(labels):
    return "{" + ",".join(f"{key}={value}" for key, value in labels.items()) + "}" if labels else ""


def figures(report, samples, uuid, before, after):
    for path, family, labels, factor, tolerance in FIGURES:
        told = [number(gpu.findtext(path)) for gpu in (before, after)]
        ours, what = one(samples, family, uuid, labels), family + show(labels)
        if None in told:
            if ours is not None:
                report.note(f"{what} = {ours}, nvidia-smi: {before.findtext(path)}")
            continue
        low, high = sorted(value * factor for value in told)
        slack = tolerance or 1e-6 * max(abs(high), 1)
        if ours is None:
            report.note(f"{what} is absent, nvidia-smi: {before.findtext(path)}")
            continue
        report.check(low - slack <= ours <= high + slack, f"{what} = {ours:g}", f"nvidia-smi: {low:g} to {high:g}")


def states(report, samples, uuid, before, after):
    for path, family, labels, yes, no in STATES:
        told = {gpu.findtext(path, "").strip() for gpu in (before, after)}
        ours, what = one(samples, family, uuid, labels), family + show(labels)
        wanted = {{yes: 1.0, no: 0.0}[word] for word in told if word in (yes, no)}
        if not wanted or ours is None:
            if wanted or ours is not None:
                report.note(f"{what} is {ours}, nvidia-smi: {', '.join(told)}")
            continue
        report.check(ours in wanted, f"{what} = {ours:g}", f"nvidia-smi: {', '.join(told)}")


def processes(report, samples, uuid, before, after):
    told = {}
    for gpu in (before, after):
        for process in gpu.findall("processes/process_info"):
            used = number(process.findtext("used_memory"))
            if used is not None:
                told.setdefault(process.findtext("pid"), []).append(used * MIB)
    ours = {
        dict(pairs)["pid"]: value
        for (name, pairs), value in samples.items()
        if name == "gpu_process_memory_bytes" and dict(pairs).get("uuid") == uuid
    }
    for pid, value in sorted(ours.items()):
        sizes = told.get(pid)
        if sizes is None:
            report.note(f"process {pid} is not in nvidia-smi's list")
        else:
            near = min(sizes) - 64 * MIB <= value <= max(sizes) + 64 * MIB
            report.check(near, f"process {pid} holds {value:g}", f"nvidia-smi: {sizes}")


def cost(report, daemon, pause):
    """What the probe costs, over a few scrapes."""
    first = read(daemon.ask().text)
    start = time.monotonic()
    scrapes = 5
    for _ in range(scrapes):
        time.sleep(pause)
        last = read(daemon.ask().text)
    seconds = time.monotonic() - start

    def increase(family):
        return (last.value(family) or 0) - (first.value(family) or 0)

    calls, driver = increase("gauged_gpu_driver_calls_total"), increase("gauged_gpu_driver_seconds_total")
    cpu, memory = increase("gauged_gpu_probe_cpu_seconds_total"), last.value("gauged_gpu_probe_resident_memory_bytes")
    report.note(f"calls of the driver per scrape: {calls / scrapes:.1f}, {1e3 * driver / scrapes:.2f} ms together")
    report.note(f"share of the time at a scrape each 15 s: {100 * driver / scrapes / 15:.4f} %")
    report.note(f"CPU of the probe per scrape: {1e3 * cpu / scrapes:.2f} ms ({seconds:.1f} s watched)")
    if memory is not None:
        report.check(memory <= 40e6, f"memory of the probe: {memory / 1e6:.1f} MB", "budget 40 MB")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("gauged")
    arguments.add_argument("--library", help="the NVML library, where it is not found by its name")
    arguments.add_argument("--pause", type=float, default=2, help="seconds between scrapes, for what they cost")
    asked = arguments.parse_args()
    smi = need(NAME, "nvidia-smi", "of NVIDIA's driver")
    report = Report(NAME)
    flags = ["--collector.nvidia.processes=on"]
    if asked.library:
        flags.append(f"--nvml.library-path={asked.library}")
    with Daemon(os.path.abspath(asked.gauged), *flags) as daemon:
        # GPM compares with a sample of at least 10 s of age.
        daemon.ask()
        time.sleep(11)
        before, driver = ask_smi(smi)
        samples = read(daemon.ask().text)
        after, _ = ask_smi(smi)
        ours = {dict(pairs)["uuid"]: dict(pairs) for (name, pairs) in samples if name == "gpu_info"}
        report.check(set(ours) == set(before), f"{len(before)} GPUs", f"gauged has {sorted(ours)}")
        for uuid in sorted(set(ours) & set(before) & set(after)):
            print(f"GPU {ours[uuid].get('gpu')}: {ours[uuid].get('name')}")
            for path, label in TEXTS:
                told = before[uuid].findtext(path, "").strip()
                if told and "N/A" not in told:
                    report.check(ours[uuid].get(label) == told, f"gpu_info {label} = {told}", str(ours[uuid].get(label)))
            report.check(ours[uuid].get("driver_version") == driver, f"driver {driver}")
            figures(report, samples, uuid, before[uuid], after[uuid])
            states(report, samples, uuid, before[uuid], after[uuid])
            state = number(before[uuid].findtext("performance_state"))
            if state is not None:
                report.note(f"performance state {one(samples, 'gpu_performance_state', uuid, {})}, nvidia-smi: P{state:g}")
            processes(report, samples, uuid, before[uuid], after[uuid])
        cost(report, daemon, asked.pause)
    report.end()


if __name__ == "__main__":
    sys.exit(main())
