//! Puts a file into a ZIP archive.

use miniz_oxide::deflate::compress_to_vec;

/// An archive with one file, as Garmin's download service sends it.
pub fn zip(name: &str, file: &[u8]) -> Vec<u8> {
    let data = compress_to_vec(file, 6);
    let size = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
    // Version 2.0, no flags, deflated, midnight of 1 January 1980.
    let mut common = vec![20, 0, 0, 0, 8, 0, 0, 0, 0x21, 0];
    common.extend(crc32(file).to_le_bytes());
    common.extend(size(&data));
    common.extend(size(file));
    common.extend(u16::try_from(name.len()).unwrap_or(u16::MAX).to_le_bytes());
    common.extend([0, 0]);

    let mut archive = b"PK\x03\x04".to_vec();
    archive.extend(&common);
    archive.extend(name.as_bytes());
    archive.extend(data);
    let directory = size(&archive);
    let from = archive.len();
    archive.extend(b"PK\x01\x02\x14\0");
    archive.extend(common);
    archive.extend([0; 14]);
    archive.extend(name.as_bytes());
    let length = u32::try_from(archive.len() - from).unwrap_or(u32::MAX);
    archive.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    archive.extend(length.to_le_bytes());
    archive.extend(directory);
    archive.extend([0, 0]);
    archive
}

/// ZIP's CRC-32.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc: u32, _| {
            if crc & 1 == 0 {
                crc >> 1
            } else {
                crc >> 1 ^ 0xedb8_8320
            }
        })
    })
}
