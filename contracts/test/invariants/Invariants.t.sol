// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Handler } from "./Handler.t.sol";
import { Rule } from "./World.t.sol";

/// What holds whatever anybody does, in any order.
abstract contract Invariants {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Handler internal handler;

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), handler.actions());
    }

    function invariant_whatIsMintedIsWhatDevicesSigned() external view {
        handler.checkProduction();
    }

    function invariant_theSupplyIsWhatWasMintedLessWhatWasRetired() external view {
        handler.checkSupply();
    }

    function invariant_noLogAndNoKeyEverGoesBack() external view {
        handler.checkRule(Rule.Backward);
        handler.checkLogs();
    }

    function invariant_aStoppedMeterNeverMints() external view {
        handler.checkRule(Rule.Stopped);
    }

    function invariant_onlyTheCurrentKeyOfAMeterMints() external view {
        handler.checkRule(Rule.Stranger);
    }

    function invariant_anItemThatLostARaceStopsNoBatch() external view {
        handler.checkRule(Rule.Race);
    }

    function invariant_everySettledReadingStaysProvable() external view {
        handler.checkReadings(handler.steps(), false);
    }

    function invariant_aKeyIsOfOneMeterForEver() external view {
        handler.checkKeys();
    }

    function invariant_nothingFalseIsAccepted() external view {
        handler.checkRule(Rule.Forged);
    }

    function invariant_whatTheRulesAllowIsDone() external view {
        handler.checkRule(Rule.Refused);
        handler.checkRule(Rule.Outcome);
    }
}

/// Where every meter may always settle on its device's signature alone.
contract AlwaysUnattestedTest is Invariants {
    function setUp() external {
        handler = new Handler(0);
    }
}

/// Where it may after 30 days.
contract ThirtyDaysUnattestedTest is Invariants {
    function setUp() external {
        handler = new Handler(30 days);
    }
}
