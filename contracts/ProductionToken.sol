// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import { ERC20Permit } from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import { IProductionToken } from "./interfaces/IProductionToken.sol";

contract ProductionToken is IProductionToken, ERC20Permit {
    /// @inheritdoc IProductionToken
    address public immutable minter;

    /// The minter is whoever deploys this: WattWitness does, in its own constructor.
    constructor() ERC20("WattWitness kWh", "kWh") ERC20Permit("WattWitness kWh") {
        minter = msg.sender;
    }

    /// @inheritdoc IProductionToken
    function mint(address to, uint256 amount) external {
        require(msg.sender == minter, CallerNotMinter(msg.sender));
        _mint(to, amount);
    }
}
