// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Income, Kind, Part } from "../../libraries/Income.sol";
import { StoredCode } from "../../libraries/StoredCode.sol";

/// Opens the libraries of parks to the tests.
contract ParkHarness {
    event Made(address made);

    function add(Kind calldata kind, uint256 amount, uint256 shares) external pure returns (Kind memory) {
        return Income.add(kind, amount, shares);
    }

    function divide(uint256 amount, uint256 carry, uint256 shares) external pure returns (uint256, uint256) {
        return Income.divide(amount, carry, shares);
    }

    function accrue(Part calldata part, uint128 perShare, uint256 shares) external pure returns (Part memory) {
        return Income.accrue(part, perShare, shares);
    }

    function claimable(Part calldata part) external pure returns (uint256) {
        return Income.claimable(part);
    }

    function readCode(address[] calldata pieces, bytes calldata arguments) external view returns (bytes memory) {
        return StoredCode.read(pieces, arguments);
    }

    function createFrom(address[] calldata pieces, bytes calldata arguments) external {
        emit Made(StoredCode.create(pieces, arguments));
    }
}
