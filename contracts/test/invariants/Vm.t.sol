// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// The cheatcodes that these tests use.
interface Vm {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    function chainId(uint256 id) external;

    function getCode(string calldata artifact) external view returns (bytes memory);

    function getRecordedLogs() external returns (Log[] memory);

    function prank(address sender) external;

    function publicKeyP256(uint256 privateKey) external pure returns (uint256 x, uint256 y);

    function recordLogs() external;

    function signP256(uint256 privateKey, bytes32 digest) external pure returns (bytes32 r, bytes32 s);

    function warp(uint256 timestamp) external;
}

Vm constant VM = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);
