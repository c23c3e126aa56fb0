// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { Handler } from "./Handler.t.sol";
import { Rule } from "./World.t.sol";

/// Invariants say nothing about what the handler never does: here it does everything.
contract CoverageTest {
    error Failed(uint256 life, uint256 step);
    error NeverDone(string what);
    error NeverForged(Handler.Forgery forgery);

    uint256 private constant LIVES = 6;
    uint256 private constant STEPS = 300;

    Handler[] private _handlers;

    function setUp() external {
        for (uint256 i = 0; i < LIVES; ++i) _handlers.push(new Handler(i % 2 == 0 ? 0 : 30 days));
    }

    function test_longLivesHaveEverythingAndKeepToTheRules() external {
        for (uint256 i = 0; i < LIVES; ++i) {
            _live(i);
            _check(_handlers[i]);
        }
        _expectAllDone();
        _expectAllForged();
    }

    function _live(uint256 life) private {
        Handler handler = _handlers[life];
        bytes4[] memory actions = handler.actions();
        for (uint256 step = 0; step < STEPS; ++step) {
            uint256 seed = uint256(keccak256(abi.encode(life, step)));
            (bool success, ) = address(handler).call(abi.encodeWithSelector(actions[seed % actions.length], seed));
            require(success, Failed(life, step));
        }
    }

    function _check(Handler handler) private view {
        for (uint256 i = 0; i <= uint256(type(Rule).max); ++i) handler.checkRule(Rule(i));
        handler.checkProduction();
        handler.checkSupply();
        handler.checkLogs();
        handler.checkKeys();
        for (uint256 seed = 0; seed < 10; ++seed) handler.checkReadings(seed, true);
    }

    function _expectAllDone() private view {
        _expect(["produce", "begin epoch", "lose register", "wait", "transfer tokens", "retire", "trespass", "sell"]);
        _expect(["attested", "unattested", "front-run", "replayed", "settled", "superseded", "overtaken", "frozen"]);
        _expect(
            [
                "capacity changed",
                "decommissioned",
                "equivocate",
                "freeze",
                "decommission",
                "log begun",
                "passed",
                "rest"
            ]
        );
        _expect(
            [
                "register",
                "rotate",
                "rotate refused",
                "reuse key refused",
                "lower capacity",
                "cancel",
                "passed over",
                "out of order"
            ]
        );
        _expect(["propose key", "replace key", "replace key refused", "cancel refused", "set payout", "", "", ""]);
        _expect(["propose owner", "recover owner", "recover owner refused", "", "", "", "", ""]);
        _expect(["propose capacity", "raise capacity", "raise capacity refused", "", "", "", "", ""]);
    }

    function _expect(string[8] memory names) private view {
        for (uint256 i = 0; i < names.length; ++i) {
            uint256 done = 0;
            for (uint256 life = 0; life < LIVES; ++life) done += _handlers[life].done(names[i]);
            require(done != 0 || bytes(names[i]).length == 0, NeverDone(names[i]));
        }
    }

    function _expectAllForged() private view {
        for (uint256 i = 0; i <= uint256(type(Handler.Forgery).max); ++i) {
            uint256 forged = 0;
            for (uint256 life = 0; life < LIVES; ++life) forged += _handlers[life].forged(Handler.Forgery(i));
            require(forged != 0, NeverForged(Handler.Forgery(i)));
        }
    }
}
