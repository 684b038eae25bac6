//! What of the driver's answers names a board, taken out of a capture: serial numbers, UUIDs, the cluster of a fabric.
//! Boards stay apart: what stands for a UUID has the device's index.

use crate::answer::Lines;
use crate::reply::Fabric;

/// Takes out of the answer to this question what names the board.
pub fn mask(key: &[u8], answer: &mut Vec<u8>) {
    let mut parts = key.split(|byte| *byte == b'/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(b"text"), Some(device), Some(b"uuid")) => {
            let kind: &[u8] = if device.contains(&b'.') { b"MIG-masked-" } else { b"GPU-masked-" };
            *answer = [kind, device, b"\n"].concat();
        }
        (Some(b"text"), Some(_), Some(b"serial")) => *answer = b"masked\n".to_vec(),
        (Some(b"fabric"), ..) => {
            let fabric = std::str::from_utf8(answer).ok().and_then(Fabric::read);
            let masked = fabric.map(|fabric| Fabric { cluster_high: 0, cluster_low: 0, ..fabric });
            let mut text = String::new();
            if let Some(masked) = masked {
                masked.write(&mut text);
            }
            *answer = text.into_bytes();
        }
        _ => {}
    }
}

/// The same of `/proc/driver/nvidia/gpus/*/information`.
pub fn mask_information(contents: &mut Vec<u8>) {
    let text = String::from_utf8_lossy(contents);
    let lines = text.lines().map(|line| match line.split_once(':') {
        Some((name @ "GPU UUID", _)) => format!("{name}: \t GPU-masked\n"),
        _ => format!("{line}\n"),
    });
    *contents = lines.collect::<String>().into_bytes();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(key: &str, answer: &str) -> String {
        let mut bytes = answer.as_bytes().to_vec();
        mask(key.as_bytes(), &mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn what_names_a_board_is_masked_and_boards_stay_apart() {
        assert_eq!(masked("text/0/uuid", "GPU-6f5a2d1e\n"), "GPU-masked-0\n");
        assert_eq!(masked("text/1.3/uuid", "MIG-4d8f1b72\n"), "MIG-masked-1.3\n");
        assert_eq!(masked("text/0/serial", "1654123014321\n"), "masked\n");
        assert_eq!(masked("text/0/name", "NVIDIA H100\n"), "NVIDIA H100\n");
        let fabric = "state=3 status=0 clique=7 cluster_high=81985529216486895 cluster_low=12\n";
        assert_eq!(masked("fabric/0", fabric), "state=3 status=0 clique=7 cluster_high=0 cluster_low=0\n");
    }

    #[test]
    fn the_kernel_modules_own_words_are_masked_too() {
        let mut bytes = b"Model: \t NVIDIA H100\nGPU UUID: \t GPU-6f5a2d1e\nBus Type: \t PCIe\n".to_vec();
        mask_information(&mut bytes);
        assert_eq!(bytes, b"Model: \t NVIDIA H100\nGPU UUID: \t GPU-masked\nBus Type: \t PCIe\n");
    }
}
