// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Reading } from "./Reading.sol";

/// The Merkle tree of RFC 9162 §2.1 with SHA-256: leaf SHA-256(0x00 ‖ leaf), node SHA-256(0x01 ‖ left ‖ right).
library MerkleLog {
    /// A log is smaller than this.
    uint64 internal constant SIZE_LIMIT = 2 ** 40;

    function leafHash(Reading reading) internal view returns (bytes32 hash) {
        // sha256(abi.encodePacked(bytes1(0), reading)) in scratch space, the precompile's answer at 0
        assembly ("memory-safe") {
            mstore8(0x00, 0)
            mstore(0x01, reading)
            if iszero(staticcall(gas(), 2, 0x00, 33, 0x00, 32)) {
                revert(0, 0)
            }
            hash := mload(0x00)
        }
    }

    /// RFC 9162 §2.1.3.2: whether the leaf that hashes to `hash` stands at `index` of the tree of `size` leaves with root
    /// `root`.
    ///
    /// From leaf to root every level has a sibling until the path reaches the tree's right edge (node == last); from
    /// there on only a right child (an odd node) has one. In assembly, because a settlement climbs dozens of levels; a
    /// hash whose call ran out of gas leaves too little of it to go on.
    function verifyInclusion(
        bytes32 hash,
        uint256 index,
        uint256 size,
        bytes32[] calldata proof,
        bytes32 root
    ) internal view returns (bool proven) {
        if (index >= size) return false;
        assembly ("memory-safe") {
            // 0x01 ‖ left ‖ right, beyond the free memory pointer, which stays where it is
            let buffer := mload(0x40)
            let left := add(buffer, 1)
            let right := add(buffer, 33)
            mstore8(buffer, 1)

            let sibling := proof.offset
            let end := add(sibling, shl(5, proof.length))
            let node := index
            let last := sub(size, 1)
            for {} iszero(eq(node, last)) {} {
                let isRight := and(node, 1)
                mstore(add(left, shl(5, isRight)), hash)
                mstore(sub(right, shl(5, isRight)), calldataload(sibling))
                pop(staticcall(gas(), 2, buffer, 65, 0x00, 32))
                hash := mload(0x00)
                sibling := add(sibling, 32)
                node := shr(1, node)
                last := shr(1, last)
            }
            for {} node {
                node := shr(1, node)
            } {
                if and(node, 1) {
                    mstore(left, calldataload(sibling))
                    mstore(right, hash)
                    pop(staticcall(gas(), 2, buffer, 65, 0x00, 32))
                    hash := mload(0x00)
                    sibling := add(sibling, 32)
                }
            }
            // a proof too short was read past its end: then it was not used up exactly
            proven := and(eq(sibling, end), eq(hash, root))
        }
    }

    /// RFC 9162 §2.1.4.2: whether the tree of `to` leaves with root `toRoot` begins with the `from` leaves whose root is
    /// `fromRoot`, for 1 <= from < to.
    ///
    /// The path starts at the last complete subtree of the old tree (the old root itself, or the proof's first hash) and
    /// climbs as in verifyInclusion, once for each root: what is to the left is part of both trees.
    function verifyConsistency(
        uint256 from,
        uint256 to,
        bytes32 fromRoot,
        bytes32 toRoot,
        bytes32[] calldata proof
    ) internal view returns (bool consistent) {
        if (from == 0 || from >= to) return false;
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            let left := add(buffer, 1)
            let right := add(buffer, 33)
            mstore8(buffer, 1)

            let sibling := proof.offset
            let end := add(sibling, shl(5, proof.length))
            let node := sub(from, 1)
            let last := sub(to, 1)
            for {} and(node, 1) {} {
                node := shr(1, node)
                last := shr(1, last)
            }
            let hash := fromRoot
            if and(from, sub(from, 1)) {
                hash := calldataload(sibling)
                sibling := add(sibling, 32)
            }
            let oldHash := hash
            for {} iszero(eq(node, last)) {} {
                switch and(node, 1)
                case 0 {
                    mstore(left, hash)
                    mstore(right, calldataload(sibling))
                }
                default {
                    mstore(left, calldataload(sibling))
                    mstore(right, oldHash)
                    pop(staticcall(gas(), 2, buffer, 65, 0x00, 32))
                    oldHash := mload(0x00)
                    mstore(right, hash)
                }
                pop(staticcall(gas(), 2, buffer, 65, 0x00, 32))
                hash := mload(0x00)
                sibling := add(sibling, 32)
                node := shr(1, node)
                last := shr(1, last)
            }
            for {} node {
                node := shr(1, node)
            } {
                if and(node, 1) {
                    mstore(left, calldataload(sibling))
                    mstore(right, oldHash)
                    pop(staticcall(gas(), 2, buffer, 65, 0x00, 32))
                    oldHash := mload(0x00)
                    mstore(right, hash)
                    pop(staticcall(gas(), 2, buffer, 65, 0x00, 32))
                    hash := mload(0x00)
                    sibling := add(sibling, 32)
                }
            }
            consistent := and(eq(sibling, end), and(eq(oldHash, fromRoot), eq(hash, toRoot)))
        }
    }
}
