// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Base64 } from "@openzeppelin/contracts/utils/Base64.sol";
import { Strings } from "@openzeppelin/contracts/utils/Strings.sol";
import { IParkDescriptor } from "../interfaces/IParkDescriptor.sol";

contract ParkDescriptor is IParkDescriptor {
    using Strings for *;

    /// @inheritdoc IParkDescriptor
    function contractURI(Description calldata description) external pure returns (string memory) {
        bytes memory json = abi.encodePacked(
            '{"name":"',
            description.name.escapeJSON(),
            '","symbol":"',
            description.symbol.escapeJSON(),
            '","description":"Shares in a solar park: each is an equal part of what its meters produce.","document":"',
            uint256(description.document).toHexString(32),
            '",',
            _restrictions(description.supervisor),
            "}"
        );
        return string.concat("data:application/json;base64,", Base64.encode(json));
    }

    /// Who may hold shares, as members of a JSON object.
    function _restrictions(address supervisor) private pure returns (bytes memory) {
        if (supervisor == address(0)) return '"restricted":false';
        return
            abi.encodePacked(
                '"restricted":true,"standard":"ERC-7943","supervisor":"',
                supervisor.toChecksumHexString(),
                '"'
            );
    }
}
