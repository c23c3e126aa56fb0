// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// RFC 9162 §2.1 as it is written there, over leaf hashes.
library Rfc9162 {
    function leafHash(bytes memory entry) internal pure returns (bytes32) {
        return sha256(bytes.concat(hex"00", entry));
    }

    /// MTH(D_n)
    function root(bytes32[] memory leaves) internal pure returns (bytes32) {
        return _root(leaves, 0, leaves.length);
    }

    /// PATH(m, D_n)
    function inclusion(bytes32[] memory leaves, uint256 index) internal pure returns (bytes32[] memory) {
        return _path(leaves, index, 0, leaves.length);
    }

    /// PROOF(m, D_n)
    function consistency(bytes32[] memory leaves, uint256 size) internal pure returns (bytes32[] memory) {
        return _subproof(leaves, size, 0, leaves.length, true);
    }

    function _root(bytes32[] memory leaves, uint256 start, uint256 end) private pure returns (bytes32) {
        if (end - start == 1) return leaves[start];
        uint256 middle = _middle(start, end);
        return sha256(bytes.concat(hex"01", _root(leaves, start, middle), _root(leaves, middle, end)));
    }

    function _path(
        bytes32[] memory leaves,
        uint256 index,
        uint256 start,
        uint256 end
    ) private pure returns (bytes32[] memory) {
        if (end - start == 1) return new bytes32[](0);
        uint256 middle = _middle(start, end);
        if (index < middle) return _append(_path(leaves, index, start, middle), _root(leaves, middle, end));
        return _append(_path(leaves, index, middle, end), _root(leaves, start, middle));
    }

    /// `size` is counted from leaf 0 of the whole log; `isOld`: the subtree is one that the verifier knows.
    function _subproof(
        bytes32[] memory leaves,
        uint256 size,
        uint256 start,
        uint256 end,
        bool isOld
    ) private pure returns (bytes32[] memory) {
        if (size == end) {
            return isOld ? new bytes32[](0) : _append(new bytes32[](0), _root(leaves, start, end));
        }
        uint256 middle = _middle(start, end);
        if (size <= middle) {
            return _append(_subproof(leaves, size, start, middle, isOld), _root(leaves, middle, end));
        }
        return _append(_subproof(leaves, size, middle, end, false), _root(leaves, start, middle));
    }

    /// After the largest power of two that is smaller than the number of leaves.
    function _middle(uint256 start, uint256 end) private pure returns (uint256) {
        uint256 width = 1;
        while (width * 2 < end - start) width *= 2;
        return start + width;
    }

    function _append(bytes32[] memory hashes, bytes32 hash) private pure returns (bytes32[] memory longer) {
        longer = new bytes32[](hashes.length + 1);
        for (uint256 i = 0; i < hashes.length; ++i) longer[i] = hashes[i];
        longer[hashes.length] = hash;
    }
}
