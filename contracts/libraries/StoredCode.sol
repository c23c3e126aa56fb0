// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// Code that is longer than one contract may have (EIP-170), kept as the code of several that do nothing: each opens with
/// STOP, and what follows is a piece of it.
library StoredCode {
    /// Thrown when the code cannot be run, without a reason of its own.
    error CreationFailed();

    /// The pieces, one after the other, and then `arguments`.
    function read(address[] memory pieces, bytes memory arguments) internal view returns (bytes memory code) {
        uint256 length = arguments.length;
        for (uint256 i = 0; i < pieces.length; ++i) length += pieces[i].code.length - 1;
        code = new bytes(length);
        uint256 end;
        assembly ("memory-safe") {
            end := add(code, 32)
        }
        for (uint256 i = 0; i < pieces.length; ++i) {
            (address piece, uint256 size) = (pieces[i], pieces[i].code.length - 1);
            assembly ("memory-safe") {
                extcodecopy(piece, end, 1, size)
                end := add(end, size)
            }
        }
        assembly ("memory-safe") {
            mcopy(end, add(arguments, 32), mload(arguments))
        }
    }

    /// Makes a contract of the pieces, with the constructor's arguments; reverts as the constructor does.
    function create(address[] memory pieces, bytes memory arguments) internal returns (address made) {
        bytes memory code = read(pieces, arguments);
        assembly ("memory-safe") {
            made := create(0, add(code, 32), mload(code))
            if and(iszero(made), gt(returndatasize(), 0)) {
                returndatacopy(mload(0x40), 0, returndatasize())
                revert(mload(0x40), returndatasize())
            }
        }
        require(made != address(0), CreationFailed());
    }
}
