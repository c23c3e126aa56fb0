// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// What the DON vouches for: the RFC 9162 tree over the segments of a batch, in the order of the file.
///
///   leaf  SHA-256(0x00 ‖ key id 32 ‖ epoch u32 ‖ from u64 ‖ capacity u32 ‖ head hash 32)
library Attestation {
    function leafHash(
        bytes32 keyId,
        uint32 epoch,
        uint64 from,
        uint32 capacity,
        bytes32 headHash
    ) internal view returns (bytes32 hash) {
        uint256 place = (uint256(epoch) << 224) | (uint256(from) << 160) | (uint256(capacity) << 128);
        // beyond the free memory pointer, which stays where it is; as in MerkleLog, because every settlement needs it
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore8(buffer, 0)
            mstore(add(buffer, 1), keyId)
            mstore(add(buffer, 33), place)
            mstore(add(buffer, 49), headHash)
            if iszero(staticcall(gas(), 2, buffer, 81, 0x00, 32)) {
                revert(0, 0)
            }
            hash := mload(0x00)
        }
    }
}
