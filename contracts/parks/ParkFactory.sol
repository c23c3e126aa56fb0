// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { TimelockController } from "@openzeppelin/contracts/governance/TimelockController.sol";
import { IHourlyCertificates } from "../interfaces/IHourlyCertificates.sol";
import { IMeterRegistry } from "../interfaces/IMeterRegistry.sol";
import { IParkFactory } from "../interfaces/IParkFactory.sol";
import { IParkDescriptor } from "../interfaces/IParkDescriptor.sol";
import { ISolarPark } from "../interfaces/ISolarPark.sol";
import { Page } from "../libraries/Page.sol";
import { StoredCode } from "../libraries/StoredCode.sol";

contract ParkFactory is IParkFactory {
    /* CONSTANTS */

    /// What a vote takes at least, and at most: a registrar's proposal for a meter takes fourteen days, and the vote is
    /// before it.
    uint256 private constant VOTING_DELAY = 1 hours;
    uint256 private constant VOTING_PERIOD = 1 days;
    uint256 private constant EXECUTION_DELAY = 1 days;
    uint256 private constant LONGEST = 12 days;

    /* STATE */

    /// @inheritdoc IParkFactory
    IMeterRegistry public immutable registry;
    /// @inheritdoc IParkFactory
    IHourlyCertificates public immutable certificates;

    IParkDescriptor private immutable _descriptor;

    /// Contracts that hold the code of open parks, of restricted ones, and of governors.
    mapping(Code code => address[]) private _pieces;

    Park[] private _parks;
    /// @inheritdoc IParkFactory
    mapping(address park => bool) public isPark;

    /* CONSTRUCTION */

    constructor(
        IHourlyCertificates certificates_,
        IParkDescriptor descriptor,
        address[] memory openPark,
        address[] memory restrictedPark,
        address[] memory governor
    ) {
        certificates = certificates_;
        registry = certificates_.wattWitness().registry();
        _descriptor = descriptor;
        (_pieces[Code.OpenPark], _pieces[Code.RestrictedPark]) = (openPark, restrictedPark);
        _pieces[Code.Governor] = governor;
    }

    /* PARKS */

    /// @inheritdoc IParkFactory
    function create(
        ISolarPark.Terms calldata terms,
        Rules calldata rules,
        address supervisor
    ) external returns (Park memory made) {
        _check(rules);
        TimelockController timelock = _timelock(rules.executionDelay);
        made.timelock = address(timelock);
        made.supervisor = supervisor;
        made.park = ISolarPark(_park(terms, made.timelock, supervisor));
        require(rules.proposalThreshold <= made.park.totalSupply(), RulesInvalid());
        made.governor = StoredCode.create(_pieces[Code.Governor], abi.encode(made.park, timelock, rules));
        _hand(timelock, made.governor);

        _parks.push(made);
        isPark[address(made.park)] = true;
        emit ParkCreated({
            park: made.park,
            creator: msg.sender,
            governor: made.governor,
            timelock: made.timelock,
            supervisor: supervisor,
            name: terms.name,
            symbol: terms.symbol
        });
    }

    function _park(ISolarPark.Terms calldata terms, address timelock, address supervisor) private returns (address) {
        ISolarPark.Surroundings memory around = ISolarPark.Surroundings(registry, certificates, _descriptor, timelock);
        if (supervisor == address(0)) return StoredCode.create(_pieces[Code.OpenPark], abi.encode(terms, around));
        return StoredCode.create(_pieces[Code.RestrictedPark], abi.encode(terms, around, supervisor));
    }

    function _check(Rules calldata rules) private pure {
        bool isSlow =
            rules.votingDelay >= VOTING_DELAY &&
                rules.votingPeriod >= VOTING_PERIOD &&
                rules.executionDelay >= EXECUTION_DELAY;
        bool isInTime = uint256(rules.votingDelay) + rules.votingPeriod + rules.executionDelay <= LONGEST;
        require(isSlow && isInTime && rules.quorum != 0 && rules.quorum <= 100, RulesInvalid());
    }

    /// A timelock in which anyone executes what is due, and that is the factory's until it is handed over.
    function _timelock(uint256 delay) private returns (TimelockController) {
        address[] memory executors = new address[](1);
        return new TimelockController(delay, new address[](0), executors, address(this));
    }

    /// From now on only the votes propose, and nobody administers the timelock but what they decide.
    function _hand(TimelockController timelock, address governor) private {
        timelock.grantRole(timelock.PROPOSER_ROLE(), governor);
        timelock.grantRole(timelock.CANCELLER_ROLE(), governor);
        timelock.renounceRole(timelock.DEFAULT_ADMIN_ROLE(), address(this));
    }

    /* VIEWS */

    /// @inheritdoc IParkFactory
    function parkCount() external view returns (uint256) {
        return _parks.length;
    }

    /// @inheritdoc IParkFactory
    function codeHashOf(Code code) external view returns (bytes32) {
        return keccak256(StoredCode.read(_pieces[code], ""));
    }

    /// @inheritdoc IParkFactory
    function parks(uint256 start, uint256 count) external view returns (Park[] memory page) {
        page = new Park[](Page.length(_parks.length, start, count));
        for (uint256 i = 0; i < page.length; ++i) page[i] = _parks[start + i];
    }
}
