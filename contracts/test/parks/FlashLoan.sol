// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { IVotes } from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { ISolarPark } from "../../interfaces/ISolarPark.sol";

/// Lends all the shares that it has, for one transaction.
contract Pool {
    error NotReturned();

    function lend(ISolarPark park, Borrower borrower) external {
        uint256 shares = park.balanceOf(address(this));
        park.transfer(address(borrower), shares);
        borrower.onLoan(park);
        require(park.balanceOf(address(this)) == shares, NotReturned());
    }

    function claim(ISolarPark park, address to) external {
        park.claim(park.kinds(), to);
    }
}

/// Takes what shares give to whoever has them for a moment.
contract Borrower {
    /// what it was while it had the shares
    bool public wasVote;
    bool public issued;

    function onLoan(ISolarPark park) external {
        IVotes(address(park)).delegate(address(this));
        park.count();
        park.claim(park.kinds(), address(this));
        wasVote = park.isVote(address(this));
        (issued, ) = address(park).call(abi.encodeCall(ISolarPark.issue, (address(this), 1)));
        park.transfer(msg.sender, park.balanceOf(address(this)));
    }
}
