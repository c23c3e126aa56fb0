#include "shelly.h"

#include <string.h>

#include "json.h"
#include "test.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { IMPORT = 0x00, EXPORT = 0x10, ALL = 15 };

/* What meters answer, with ' for ". */

static const char em[] =
    "{'wifi_sta':{'connected':true,'ssid':'solar','ip':'192.168.1.40','rssi':-61},'cloud':{'enabled':false,"
    "'connected':false},'mqtt':{'connected':false},'time':'16:25','unixtime':1750352712,'serial':4217,"
    "'has_update':false,'mac':'EC64C9C05E97','cfg_changed_cnt':1,'actions_stats':{'skipped':0},'relays':[{"
    "'ison':false,'has_timer':false,'overpower':false,'is_valid':true,'source':'input'}],'emeters':[{'power':20.64,"
    "'reactive':87.65,'pf':0.23,'voltage':231.02,'is_valid':true,'total':4311237.3,'total_returned':7102.9},{"
    "'power':0.00,'reactive':0.00,'pf':0.00,'voltage':231.02,'is_valid':true,'total':0.0,'total_returned':0.0}],"
    "'fs_mounted':true,'update':{'status':'idle','has_update':false,'new_version':'',"
    "'old_version':'20230913-114150/v1.14.0-gcb84623'},'ram_total':51072,'ram_free':35660,'fs_size':233681,"
    "'fs_free':155118,'uptime':1234567}";

static const char em_old_firmware[] =
    "{'time':'16:25','mac':'EC64C9C05E97','emeters':[{'power':-28.97,'reactive':2.15,'voltage':122.10,"
    "'is_valid':true,'total':781.7,'total_returned':9.2},{'power':0.00,'reactive':0.00,'voltage':122.10,"
    "'is_valid':false,'total':0.0,'total_returned':0.0}]}";

static const char em3[] =
    "{'mac':'a8032ab1c2d3','emeters':[{'power':-943.98,'pf':-0.82,'current':5.02,'voltage':229.90,'is_valid':true,"
    "'total':12.5,'total_returned':129275.3},{'power':-1247.18,'pf':-0.85,'current':6.41,'voltage':229.24,"
    "'is_valid':true,'total':0.0,'total_returned':172216.5},{'power':1.16,'pf':0.85,'current':0.01,'voltage':230.33,"
    "'is_valid':true,'total':33.7,'total_returned':123373.6}],'total_power':-2190.00}";

static const char pro_em[] =
    "{'em1:0':{'id':0,'current':0.031,'voltage':224.5,'act_power':1.2,'aprt_power':6.9,'pf':0.51,'freq':50.0,"
    "'calibration':'factory'},'em1:1':{'id':1,'current':22.780,'voltage':224.6,'act_power':5080.3,"
    "'aprt_power':5142.4,'pf':0.99,'freq':50.0,'calibration':'factory'},'em1data:0':{'id':0,"
    "'total_act_energy':16.41,'total_act_ret_energy':0.00},'em1data:1':{'id':1,'total_act_energy':6644.90,"
    "'total_act_ret_energy':2595.26},'sys':{'mac':'08F9E0E67204','restart_required':false,'time':'00:36',"
    "'unixtime':1707930973,'uptime':28980,'ram_size':240572,'ram_free':115680,'fs_size':524288,'fs_free':192512,"
    "'cfg_rev':13}}";

static const char pro_3em[] =
    "{'em:0':{'id':0,'a_current':4.029,'a_voltage':236.1,'a_act_power':-951.2,'a_aprt_power':951.9,'a_pf':-1,"
    "'b_current':4.027,'b_voltage':236.201,'b_act_power':-951.1,'c_current':3.03,'c_voltage':236.402,"
    "'c_act_power':-715.4,'n_current':null,'total_current':11.086,'total_act_power':-2617.7,"
    "'user_calibrated_phase':[]},'emdata:0':{'id':0,'a_total_act_energy':10.01,'a_total_act_ret_energy':39922.93,"
    "'b_total_act_energy':20.02,'b_total_act_ret_energy':39898.66,'c_total_act_energy':30.03,"
    "'c_total_act_ret_energy':40056.66,'total_act':60.06,'total_act_ret':119878.25},'temperature:0':{'id':0,"
    "'tC':46.7,'tF':116.0},'sys':{'mac':'08F9E0E67204'}}";

/* Of plugs and PM models, as their owners published it; what is not measured is left out, and MAC addresses are others. */

/* 1PM, Gen1 (github.com/produdegr/homebridge-3em-energy-meter, issue 7) */
static const char plug_gen1[] =
    "{'wifi_sta':{'connected':true,'rssi':-49},'time':'18:44','unixtime':1636998293,'serial':2257,'has_update':false,"
    "'mac':'A8032AB1C2D3','relays':[{'ison':true,'has_timer':false,'overpower':false,'source':'input'}],'meters':[{"
    "'power':455.85,'overpower':0.00,'is_valid':true,'timestamp':1637001893,'counters':[454.622, 452.746, 451.826],"
    "'total':145827}],'inputs':[{'input':0,'event':'','event_cnt':0}],'temperature':38.73,'overtemperature':false,"
    "'tmp':{'tC':38.73,'tF':101.71, 'is_valid':true},'ram_total':50472}";

/* PM Mini Gen3, on a balcony's inverter (github.com/evcc-io/evcc, pull request 18841) */
static const char pm_mini[] =
    "{'ble':{},'bthome':{'errors':['bluetooth_disabled']},'cloud':{'connected':true},'mqtt':{'connected':true},'pm1:0':"
    "{"
    "'id':0, 'voltage':236.2, 'current':0.477, 'apower':-63.1 ,'freq':50.0,'aenergy':{'total':330.473,'by_minute':["
    "1053.994,1053.994,1053.994],'minute_ts':1743682140},'ret_aenergy':{'total':128.950,'by_minute':[1053.994,1053.994,"
    "1053.994],'minute_ts':1743682140}},'sys':{'mac':'08F9E0E67204','restart_required':false,'time':'14:09',"
    "'unixtime':1743682196,'last_sync_ts':1743682173,'uptime':94946,'cfg_rev':18,'reset_reason':3},'ws':{"
    "'connected':false}}";

/* 1PM Mini Gen3 (github.com/iobroker-community-adapters/ioBroker.shelly, issue 1592): its switch:0 */
static const char pm1_mini[] =
    "{'switch:0':{'id':0,'source':'SHC','tag':null, 'output':false, 'apower':0.0, 'voltage':238.3, 'freq':50.0,"
    "'current':0.000, 'aenergy':{'total':2690.730,'by_minute':[0.000,0.000,0.000],'minute_ts':1788945300},"
    "'ret_aenergy':{'total':0.000,'by_minute':[0.000,0.000,0.000],'minute_ts':1788945300},'counts':{'on_time':241680},"
    "'temperature':{'tC':56.1, 'tF':132.9}},'sys':{'mac':'08F9E0E67204'}}";

/* Plus 1PM, on a solar panel's inverter (github.com/evcc-io/evcc, pull request 31878): its switch:0, of one direction */
static const char plus_1pm[] =
    "{'switch:0':{'id':0,'source':'switch','output':true,'apower':155.3,'voltage':233.4,'current':0.577,'aenergy':{"
    "'total':687882.498,'by_minute':[1448.353,4054.719,1713.860],'minute_ts':1784475000},'temperature':{'tC':59.4,"
    "'tF':138.9}},'sys':{'mac':'08F9E0E67204'}}";

/* And as the documentation of their API says (shelly-api-docs.shelly.cloud). */

/* 2.5, Gen1 */
static const char plug_gen1_two[] =
    "{'mac':'A8032AB1C2D3','relays':[{'ison':true},{'ison':false}],'meters':[{'power':100.5,'is_valid':true,'total':"
    "600},"
    "{'power':0,'is_valid':false,'total':59}]}";

/* Pro 2PM */
static const char pro_2pm[] =
    "{'switch:0':{'id':0,'output':true,'apower':-300.5,'voltage':230,'current':1.3,'aenergy':{'total':1000.5},"
    "'ret_aenergy':{'total':900.25}},'switch:1':{'id':1,'output':true,'apower':-100,'voltage':232,'current':0.4,"
    "'aenergy':{'total':500},'ret_aenergy':{'total':500}},'sys':{'mac':'08F9E0E67204'}}";

/* EM Gen3: two clamps and a relay */
static const char em_gen3[] =
    "{'switch:0':{'id':0,'output':false},'em1:0':{'id':0,'act_power':-12.5},'em1:1':{'id':1,'act_power':0},'em1data:0':"
    "{"
    "'total_act_energy':1,'total_act_ret_energy':2},'em1data:1':{'total_act_energy':0,'total_act_ret_energy':0},'sys':{"
    "'mac':'08F9E0E67204'}}";

#define GEN1(emeters) "{'mac':'EC64C9C05E97','emeters':[" emeters "]}"
#define METERS(meters) "{'mac':'EC64C9C05E97','meters':[" meters "]}"
#define SWITCH(fields) "{'switch:0':{" fields "},'sys':{'mac':'08F9E0E67204'}}"
#define EM1(live, counted)                                                                               \
  "{'em1:0':{'act_power':1,'voltage':230,'current':2" live "},'em1data:0':{'total_act_energy':3" counted \
  "},"                                                                                                   \
  "'sys':{'mac':'08F9E0E67204'}}"
#define EM(live, counted)                                         \
  "{'em:0':{'a_act_power':1,'b_act_power':2,'c_act_power':3" live \
  "},'emdata:0':{'a_total_act_energy':4,"                         \
  "'b_total_act_energy':5,'c_total_act_energy':6" counted "},'sys':{'mac':'08F9E0E67204'}}"

static char answer[4096];
static struct ww_measurement measured;

static size_t quote(const char *text) {
  size_t length = strlen(text);
  for (size_t i = 0; i < length; i++) {
    answer[i] = text[i] == '\'' ? '"' : text[i];
  }
  return length;
}

static enum ww_error parse(uint8_t source, const char *text) {
  struct ww_shelly_options options = {source};
  return ww_shelly_parse(&options, answer, quote(text), &measured);
}

/* REFUSALS */

TEST("refuses every truncation of every answer") {
  static const char *const answers[] = {em,      em_old_firmware, em3,      pro_em,        pro_3em, plug_gen1,
                                        pm_mini, pm1_mini,        plus_1pm, plug_gen1_two, pro_2pm, em_gen3};
  struct ww_shelly_options options = {IMPORT};
  for (size_t i = 0; i < COUNT(answers); i++) {
    size_t whole = quote(answers[i]);
    for (size_t length = 0; length < whole; length++) {
      CHECK_EQUAL(ww_shelly_parse(&options, answer, length, &measured), WW_METER_MALFORMED);
    }
    CHECK_OK(ww_shelly_parse(&options, answer, whole, &measured));
  }
}

TEST("refuses what is not JSON") {
  CHECK_EQUAL(parse(IMPORT, "<html>401 Unauthorized</html>"), WW_METER_MALFORMED);
  CHECK_EQUAL(parse(IMPORT, GEN1("{'power':1.,'total':1}")), WW_METER_MALFORMED);
  CHECK_EQUAL(parse(IMPORT, GEN1("{'power':NaN,'total':1}")), WW_METER_MALFORMED);
  CHECK_EQUAL(parse(IMPORT, GEN1("{'power':1,'total':00}")), WW_METER_MALFORMED);
  CHECK_EQUAL(parse(IMPORT, GEN1("{'power':1,'total':1}") "{}"), WW_METER_MALFORMED);
}

TEST("refuses an answer that is nested too deep") {
  struct ww_shelly_options options = {IMPORT};
  memset(answer, '[', sizeof answer);
  CHECK_EQUAL(ww_shelly_parse(&options, answer, sizeof answer, &measured), WW_METER_MALFORMED);
}

TEST("refuses JSON that is no meter's answer") {
  static const char *const answers[] = {"null",
                                        "12",
                                        "[]",
                                        "{}",
                                        "{'mac':'EC64C9C05E97'}",
                                        "{'emeters':{}}",
                                        "{'emeters':null}",
                                        "{'emeters':[]}",
                                        "{'meters':null}",
                                        "{'meters':[]}",
                                        "{'switch:0':null}",
                                        "{'pm1:0':{}}",
                                        "{'em:0':[]}",
                                        "{'sys':{'mac':'08F9E0E67204'}}"};
  for (size_t i = 0; i < COUNT(answers); i++) {
    CHECK_EQUAL(parse(IMPORT, answers[i]), WW_METER_MISSING);
    CHECK_EQUAL(parse(ALL, answers[i]), WW_METER_MISSING);
  }
}

TEST("refuses a channel that the meter does not have") {
  CHECK_EQUAL(parse(2, em), WW_METER_MISSING);
  CHECK_EQUAL(parse(3, em3), WW_METER_MISSING);
  CHECK_EQUAL(parse(2, pro_em), WW_METER_MISSING);
  CHECK_EQUAL(parse(3, pro_3em), WW_METER_MISSING);
  CHECK_EQUAL(parse(14, pro_em), WW_METER_MISSING);
}

TEST("refuses an answer without power or register, or with null there") {
  CHECK_EQUAL(parse(IMPORT, GEN1("{'total':1}")), WW_METER_MISSING);
  CHECK_EQUAL(parse(IMPORT, GEN1("{'power':1}")), WW_METER_MISSING);
  CHECK_EQUAL(parse(EXPORT, GEN1("{'power':1,'total':1}")), WW_METER_MISSING);
  CHECK_EQUAL(parse(IMPORT, GEN1("{'power':null,'total':1}")), WW_METER_MISSING);
  CHECK_EQUAL(parse(IMPORT, GEN1("{'power':1,'total':null}")), WW_METER_MISSING);
  CHECK_EQUAL(parse(EXPORT, EM1("", "")), WW_METER_MISSING);
  CHECK_EQUAL(parse(EXPORT, EM("", "")), WW_METER_MISSING);
}

TEST("refuses the export of what does not tell the directions apart, and a switch that measures nothing") {
  CHECK_EQUAL(parse(EXPORT, plug_gen1), WW_METER_MISSING);
  CHECK_EQUAL(parse(EXPORT, plus_1pm), WW_METER_MISSING);
  CHECK_EQUAL(parse(IMPORT, SWITCH("'id':0,'output':true")), WW_METER_MISSING);
  CHECK_EQUAL(parse(IMPORT, SWITCH("'apower':1,'aenergy':null")), WW_METER_MISSING);
  CHECK_EQUAL(parse(IMPORT, SWITCH("'apower':1,'aenergy':{'by_minute':[1,1,1]}")), WW_METER_MISSING);
  CHECK_EQUAL(parse(IMPORT, SWITCH("'apower':1,'aenergy':5")), WW_METER_MISSING);
}

TEST("refuses counters of a switch that are no numbers, or of which the part is more than the whole") {
  CHECK_EQUAL(parse(IMPORT, SWITCH("'apower':1,'aenergy':{'total':'5'}")), WW_METER_RANGE);
  CHECK_EQUAL(parse(IMPORT, SWITCH("'apower':1,'aenergy':{'total':-5}")), WW_METER_RANGE);
  CHECK_EQUAL(parse(IMPORT, SWITCH("'apower':1,'aenergy':{'total':5},'ret_aenergy':{'total':-1}")), WW_METER_RANGE);
  CHECK_EQUAL(parse(EXPORT, SWITCH("'apower':1,'aenergy':{'total':5},'ret_aenergy':{'total':'1'}")), WW_METER_RANGE);
  CHECK_EQUAL(parse(IMPORT, SWITCH("'apower':1,'aenergy':{'total':5},'ret_aenergy':{'total':5.001}")), WW_METER_RANGE);
  CHECK_OK(parse(IMPORT, SWITCH("'apower':1,'aenergy':{'total':5},'ret_aenergy':{'total':5}")));
}

TEST("refuses to sum over switches of which one does not tell the directions apart") {
  CHECK_EQUAL(parse(ALL,
                    "{'switch:0':{'apower':1,'aenergy':{'total':5},'ret_aenergy':{'total':1}},'switch:1':{'apower':1,"
                    "'aenergy':{'total':5}},'sys':{'mac':'08F9E0E67204'}}"),
              WW_METER_MISSING);
}

TEST("refuses to sum over phases of which one does not tell its register") {
  CHECK_EQUAL(parse(ALL, GEN1("{'power':1,'total':1},{'power':1}")), WW_METER_MISSING);
  CHECK_EQUAL(parse(ALL, GEN1("{'power':1,'total':1},null")), WW_METER_MISSING);
  CHECK_EQUAL(parse(ALL,
                    "{'em1:0':{'act_power':1},'em1:1':{'act_power':1},'em1data:0':{'total_act_energy':1},"
                    "'sys':{'mac':'08F9E0E67204'}}"),
              WW_METER_MISSING);
  CHECK_EQUAL(parse(ALL,
                    "{'em:0':{'a_act_power':1,'b_act_power':1,'c_act_power':1},'emdata:0':{"
                    "'a_total_act_energy':1,'b_total_act_energy':1},'sys':{'mac':'08F9E0E67204'}}"),
              WW_METER_MISSING);
}

TEST("refuses a register that is negative, or no number, or 2^50 mWh or more") {
  CHECK_EQUAL(parse(IMPORT, GEN1("{'power':1,'total':-0.001}")), WW_METER_RANGE);
  CHECK_EQUAL(parse(IMPORT, GEN1("{'power':1,'total':'1'}")), WW_METER_RANGE);
  CHECK_EQUAL(parse(IMPORT, GEN1("{'power':1,'total':true}")), WW_METER_RANGE);
  CHECK_EQUAL(parse(IMPORT, GEN1("{'power':1,'total':[1]}")), WW_METER_RANGE);
  CHECK_EQUAL(parse(IMPORT, GEN1("{'power':1,'total':1e999}")), WW_METER_RANGE);
  CHECK_EQUAL(parse(IMPORT, GEN1("{'power':1,'total':1125899906842.624}")), WW_METER_RANGE);
  CHECK_EQUAL(parse(ALL, GEN1("{'power':1,'total':562949953421.312},{'power':1,'total':562949953421.312}")),
              WW_METER_RANGE);
  CHECK_OK(parse(IMPORT, GEN1("{'power':1,'total':1125899906842.623}")));
  CHECK(measured.total == (UINT64_C(1) << 50) - 1);
}

TEST("refuses a power that is no number, or absurd") {
  CHECK_EQUAL(parse(IMPORT, GEN1("{'power':'1','total':1}")), WW_METER_RANGE);
  CHECK_EQUAL(parse(IMPORT, GEN1("{'power':1e999,'total':1}")), WW_METER_RANGE);
  CHECK_EQUAL(parse(IMPORT, GEN1("{'power':1125899906842.624,'total':1}")), WW_METER_RANGE);
  CHECK_EQUAL(parse(IMPORT, GEN1("{'power':-1125899906842.624,'total':1}")), WW_METER_RANGE);
  CHECK_EQUAL(parse(ALL, GEN1("{'power':1125899906842,'total':1},{'power':1,'total':1}")), WW_METER_RANGE);
  CHECK_EQUAL(parse(ALL, GEN1("{'power':-1125899906842,'total':1},{'power':-1,'total':1}")), WW_METER_RANGE);
}

TEST("refuses a voltage or current that is no number, negative, or what stands for not measured") {
  CHECK_EQUAL(parse(IMPORT, GEN1("{'power':1,'total':1,'voltage':'230'}")), WW_METER_RANGE);
  CHECK_EQUAL(parse(IMPORT, GEN1("{'power':1,'total':1,'voltage':-230}")), WW_METER_RANGE);
  CHECK_EQUAL(parse(IMPORT, GEN1("{'power':1,'total':1,'voltage':4294967.295}")), WW_METER_RANGE);
  CHECK_EQUAL(parse(IMPORT, GEN1("{'power':1,'total':1,'current':-1}")), WW_METER_RANGE);
  CHECK_EQUAL(parse(IMPORT, GEN1("{'power':1,'total':1,'current':1e9}")), WW_METER_RANGE);
  CHECK_EQUAL(parse(ALL, GEN1("{'power':1,'total':1,'current':2147483.648},"
                              "{'power':1,'total':1,'current':2147483.647}")),
              WW_METER_RANGE);
  CHECK_OK(parse(IMPORT, GEN1("{'power':1,'total':1,'voltage':4294967.294,'current':4294967.294}")));
  CHECK_EQUAL(measured.voltage, WW_NOT_MEASURED_U32 - 1);
  CHECK_EQUAL(measured.current, WW_NOT_MEASURED_U32 - 1);
}

TEST("refuses a meter that does not say who it is") {
  CHECK_EQUAL(parse(IMPORT, "{'emeters':[{'power':1,'total':1}]}"), WW_METER_MISSING);
  CHECK_EQUAL(parse(IMPORT, "{'mac':null,'emeters':[{'power':1,'total':1}]}"), WW_METER_MISSING);
  CHECK_EQUAL(parse(IMPORT, "{'mac':123456789012,'emeters':[{'power':1,'total':1}]}"), WW_METER_RANGE);
  CHECK_EQUAL(parse(IMPORT, "{'mac':'EC64C9C05E9','emeters':[{'power':1,'total':1}]}"), WW_METER_RANGE);
  CHECK_EQUAL(parse(IMPORT, "{'mac':'EC64C9C05E970','emeters':[{'power':1,'total':1}]}"), WW_METER_RANGE);
  CHECK_EQUAL(parse(IMPORT, "{'mac':'EC64C9C05E9G','emeters':[{'power':1,'total':1}]}"), WW_METER_RANGE);
  CHECK_EQUAL(parse(IMPORT, "{'mac':'EC:64:C9:C05','emeters':[{'power':1,'total':1}]}"), WW_METER_RANGE);
}

TEST("leaves the measurement untouched when it refuses") {
  struct ww_measurement before;
  memset(&measured, 0xA5, sizeof measured);
  memcpy(&before, &measured, sizeof before);
  CHECK(parse(IMPORT, "{") != WW_OK);
  CHECK(parse(9, em) != WW_OK);
  CHECK(parse(IMPORT, "{'emeters':[{'power':1,'total':1}]}") != WW_OK);
  CHECK(parse(ALL, GEN1("{'power':1,'total':1},{'power':1,'total':-1}")) != WW_OK);
  CHECK_BYTES(&measured, &before, sizeof before);
}

/* GEN 1 */

TEST("counts a Shelly's watt-hour as 1000 mWh, not as a kilowatt-hour") {
  CHECK_OK(parse(IMPORT, GEN1("{'power':0,'total':1}")));
  CHECK_EQUAL(measured.total, 1000);
  CHECK_OK(parse(IMPORT, EM1("", "")));
  CHECK_EQUAL(measured.total, 3000);
}

TEST("reads an EM") {
  static const uint8_t mac[WW_METER_ID_LENGTH] = {0xEC, 0x64, 0xC9, 0xC0, 0x5E, 0x97, 0, 0};
  CHECK_OK(parse(IMPORT, em));
  CHECK_EQUAL(measured.power, 20640);
  CHECK_EQUAL(measured.total, 4311237300);
  CHECK_EQUAL(measured.voltage, 231020);
  CHECK_EQUAL(measured.current, WW_NOT_MEASURED_U32);
  CHECK_EQUAL(measured.temperature, WW_NOT_MEASURED_I16);
  CHECK(measured.valid);
  CHECK_BYTES(measured.meter, mac, sizeof mac);
}

TEST("reads another channel of an EM") {
  CHECK_OK(parse(IMPORT | 1, em));
  CHECK_EQUAL(measured.power, 0);
  CHECK_EQUAL(measured.total, 0);
  CHECK_EQUAL(measured.voltage, 231020);
}

TEST("turns the sign of power around through the export register") {
  CHECK_OK(parse(EXPORT, em));
  CHECK_EQUAL(measured.power, -20640);
  CHECK_EQUAL(measured.total, 7102900);
  CHECK_OK(parse(EXPORT, em_old_firmware));
  CHECK_EQUAL(measured.power, 28970);
  CHECK_EQUAL(measured.total, 9200);
}

TEST("ignores the bits of the source that say neither channel nor register") {
  CHECK_OK(parse(0xE0 | EXPORT, em));
  CHECK_EQUAL(measured.total, 7102900);
}

TEST("reads an EM with an old firmware") {
  CHECK_OK(parse(IMPORT, em_old_firmware));
  CHECK_EQUAL(measured.power, -28970);
  CHECK_EQUAL(measured.total, 781700);
  CHECK_EQUAL(measured.voltage, 122100);
  CHECK(measured.valid);
}

TEST("hands on that the meter calls itself invalid, of all phases if one does") {
  CHECK_OK(parse(IMPORT | 1, em_old_firmware));
  CHECK(!measured.valid);
  CHECK_OK(parse(ALL, em_old_firmware));
  CHECK(!measured.valid);
  CHECK_OK(parse(IMPORT, GEN1("{'power':1,'total':1,'is_valid':'true'}")));
  CHECK(!measured.valid);
}

TEST("takes a measurement for valid that says nothing of it") {
  CHECK_OK(parse(IMPORT, GEN1("{'power':1,'total':1}")));
  CHECK(measured.valid);
  CHECK_OK(parse(IMPORT, GEN1("{'power':1,'total':1,'is_valid':null}")));
  CHECK(measured.valid);
}

TEST("reads a 3EM's phase, and the sum of all") {
  static const uint8_t mac[WW_METER_ID_LENGTH] = {0xA8, 0x03, 0x2A, 0xB1, 0xC2, 0xD3, 0, 0};
  CHECK_OK(parse(EXPORT | 1, em3));
  CHECK_EQUAL(measured.power, 1247180);
  CHECK_EQUAL(measured.total, 172216500);
  CHECK_EQUAL(measured.current, 6410);
  CHECK_OK(parse(EXPORT | ALL, em3));
  CHECK_EQUAL(measured.power, 2190000);
  CHECK_EQUAL(measured.total, 424865400);
  CHECK_EQUAL(measured.voltage, 229823);
  CHECK_EQUAL(measured.current, 11440);
  CHECK(measured.valid);
  CHECK_BYTES(measured.meter, mac, sizeof mac);
  CHECK_OK(parse(IMPORT | ALL, em3));
  CHECK_EQUAL(measured.power, -2190000);
  CHECK_EQUAL(measured.total, 46200);
}

TEST("takes the mean of the voltages that are measured, and a current only if each is") {
  CHECK_OK(parse(ALL, GEN1("{'power':1,'total':1,'voltage':230,'current':1},{'power':1,'total':1,'voltage':null},"
                           "{'power':1,'total':1,'voltage':231.001,'current':1}")));
  CHECK_EQUAL(measured.voltage, 230500);
  CHECK_EQUAL(measured.current, WW_NOT_MEASURED_U32);
  CHECK_OK(parse(ALL, GEN1("{'power':1,'total':1},{'power':1,'total':1}")));
  CHECK_EQUAL(measured.voltage, WW_NOT_MEASURED_U32);
}

TEST("takes the first of two fields with the same name, and understands escapes in names") {
  CHECK_OK(parse(IMPORT, GEN1("{'power':1,'total':1,'total':2}")));
  CHECK_EQUAL(measured.total, 1000);
  CHECK_OK(parse(IMPORT, GEN1("{'power':1,'t\\u006ftal':1,'total':2}")));
  CHECK_EQUAL(measured.total, 1000);
}

TEST("cuts off what is finer than a thousandth, toward zero") {
  CHECK_OK(parse(IMPORT, GEN1("{'power':-1.9999,'total':0.0009,'voltage':2.3001e2}")));
  CHECK_EQUAL(measured.power, -1999);
  CHECK_EQUAL(measured.total, 0);
  CHECK_EQUAL(measured.voltage, 230010);
}

/* GEN 2 AND LATER */

TEST("reads a Pro EM") {
  static const uint8_t mac[WW_METER_ID_LENGTH] = {0x08, 0xF9, 0xE0, 0xE6, 0x72, 0x04, 0, 0};
  CHECK_OK(parse(IMPORT | 1, pro_em));
  CHECK_EQUAL(measured.power, 5080300);
  CHECK_EQUAL(measured.total, 6644900);
  CHECK_EQUAL(measured.voltage, 224600);
  CHECK_EQUAL(measured.current, 22780);
  CHECK_EQUAL(measured.temperature, WW_NOT_MEASURED_I16);
  CHECK(measured.valid);
  CHECK_BYTES(measured.meter, mac, sizeof mac);
  CHECK_OK(parse(EXPORT | 1, pro_em));
  CHECK_EQUAL(measured.power, -5080300);
  CHECK_EQUAL(measured.total, 2595260);
  CHECK_OK(parse(IMPORT, pro_em));
  CHECK_EQUAL(measured.power, 1200);
  CHECK_EQUAL(measured.total, 16410);
}

TEST("sums the channels of a Pro EM") {
  CHECK_OK(parse(IMPORT | ALL, pro_em));
  CHECK_EQUAL(measured.power, 5081500);
  CHECK_EQUAL(measured.total, 6661310);
  CHECK_EQUAL(measured.voltage, 224550);
  CHECK_EQUAL(measured.current, 22811);
}

TEST("finds a channel of two digits") {
  CHECK_OK(parse(12,
                 "{'em1:1':{'act_power':1},'em1:12':{'act_power':12},'em1data:1':{'total_act_energy':1},"
                 "'em1data:12':{'total_act_energy':120},'sys':{'mac':'08F9E0E67204'}}"));
  CHECK_EQUAL(measured.power, 12000);
  CHECK_EQUAL(measured.total, 120000);
}

TEST("reads a Pro 3EM's phase, and the sum of all, which is what it says itself") {
  CHECK_OK(parse(EXPORT | 2, pro_3em));
  CHECK_EQUAL(measured.power, 715400);
  CHECK_EQUAL(measured.total, 40056660);
  CHECK_EQUAL(measured.voltage, 236402);
  CHECK_EQUAL(measured.current, 3030);
  CHECK_OK(parse(IMPORT | 1, pro_3em));
  CHECK_EQUAL(measured.power, -951100);
  CHECK_EQUAL(measured.total, 20020);
  CHECK_OK(parse(EXPORT | ALL, pro_3em));
  CHECK_EQUAL(measured.power, 2617700);
  CHECK_EQUAL(measured.total, 119878250);
  CHECK_EQUAL(measured.voltage, 236234);
  CHECK_EQUAL(measured.current, 11086);
  CHECK_EQUAL(measured.temperature, WW_NOT_MEASURED_I16);
  CHECK(measured.valid);
  CHECK_OK(parse(IMPORT | ALL, pro_3em));
  CHECK_EQUAL(measured.total, 60060);
}

TEST("calls a measurement invalid that comes with errors") {
  static const char *const answers[] = {
      EM1(",'errors':['power_meter_failure']", ""), EM1("", ",'errors':['database_error']"),
      EM(",'errors':['power_meter_failure']", ""),  EM(",'a_errors':['out_of_range:act_power']", ""),
      EM("", ",'errors':['database_error']"),
  };
  for (size_t i = 0; i < COUNT(answers); i++) {
    CHECK_OK(parse(IMPORT, answers[i]));
    CHECK(!measured.valid);
    CHECK_OK(parse(IMPORT | ALL, answers[i]));
    CHECK(!measured.valid);
  }
}

TEST("blames no phase for the errors of another, but all together") {
  CHECK_OK(parse(IMPORT | 1, EM(",'a_errors':['out_of_range:act_power']", "")));
  CHECK(measured.valid);
  CHECK_OK(parse(IMPORT | 0, EM(",'c_errors':['out_of_range:act_power']", "")));
  CHECK(measured.valid);
  CHECK_OK(parse(IMPORT | ALL, EM(",'c_errors':['out_of_range:act_power']", "")));
  CHECK(!measured.valid);
}

TEST("takes the wrong order of phases for no error, beside no other") {
  CHECK_OK(parse(IMPORT | ALL, EM(",'errors':['phase_sequence']", "")));
  CHECK(measured.valid);
  CHECK_OK(parse(IMPORT | ALL, EM(",'errors':['phase_sequence','power_meter_failure']", "")));
  CHECK(!measured.valid);
}

TEST("takes an empty list of errors, or null, for none") {
  CHECK_OK(parse(IMPORT, EM1(",'errors':[]", ",'errors':null")));
  CHECK(measured.valid);
}

/* PLUGS AND PM MODELS */

TEST("reads a Gen1 plug, whose register is in Watt-minutes") {
  static const uint8_t mac[WW_METER_ID_LENGTH] = {0xA8, 0x03, 0x2A, 0xB1, 0xC2, 0xD3, 0, 0};
  CHECK_OK(parse(IMPORT, plug_gen1));
  CHECK_EQUAL(measured.power, 455850);
  CHECK_EQUAL(measured.total, 2430450); /* 145,827 Wmin / 60 = 2,430.45 Wh */
  CHECK_EQUAL(measured.voltage, WW_NOT_MEASURED_U32);
  CHECK_EQUAL(measured.current, WW_NOT_MEASURED_U32);
  CHECK_EQUAL(measured.temperature, WW_NOT_MEASURED_I16);
  CHECK(measured.valid);
  CHECK_BYTES(measured.meter, mac, sizeof mac);
}

TEST("cuts off what of a Watt-minute is less than a mWh") {
  CHECK_OK(parse(IMPORT, METERS("{'power':1,'total':1}")));
  CHECK_EQUAL(measured.total, 16);
  CHECK_OK(parse(IMPORT, METERS("{'power':1,'total':2}")));
  CHECK_EQUAL(measured.total, 33);
  CHECK_OK(parse(IMPORT, METERS("{'power':1,'total':3}")));
  CHECK_EQUAL(measured.total, 50);
}

TEST("reads another channel of a Gen1 with two, and the sum of both") {
  CHECK_OK(parse(IMPORT | 1, plug_gen1_two));
  CHECK_EQUAL(measured.total, 983);
  CHECK(!measured.valid);
  CHECK_OK(parse(ALL, plug_gen1_two));
  CHECK_EQUAL(measured.power, 100500);
  CHECK_EQUAL(measured.total, 10983);
  CHECK(!measured.valid);
}

TEST("reads what a PM model's inverter returned, by the export register, and ignores its energy by the minute") {
  CHECK_OK(parse(EXPORT, pm_mini));
  CHECK_EQUAL(measured.power, 63100);
  CHECK_EQUAL(measured.total, 128950);
  CHECK_EQUAL(measured.voltage, 236200);
  CHECK_EQUAL(measured.current, 477);
  CHECK(measured.valid);
  CHECK_OK(parse(EXPORT, pm1_mini));
  CHECK_EQUAL(measured.power, 0);
  CHECK_EQUAL(measured.total, 0);
}

TEST("takes what flowed back out of what a PM model consumed, which has both in it") {
  CHECK_OK(parse(IMPORT, pm_mini));
  CHECK_EQUAL(measured.power, -63100);
  CHECK_EQUAL(measured.total, 330473 - 128950);
  CHECK_OK(parse(IMPORT, pm1_mini));
  CHECK_EQUAL(measured.total, 2690730);
}

TEST("reads a switch that has one counter for both directions, by the import register") {
  CHECK_OK(parse(IMPORT, plus_1pm));
  CHECK_EQUAL(measured.power, 155300);
  CHECK_EQUAL(measured.total, 687882498);
  CHECK_EQUAL(measured.voltage, 233400);
  CHECK_EQUAL(measured.current, 577);
}

TEST("reads a channel of a Pro 2PM, and the sum of both") {
  CHECK_OK(parse(EXPORT | 1, pro_2pm));
  CHECK_EQUAL(measured.power, 100000);
  CHECK_EQUAL(measured.total, 500000);
  CHECK_OK(parse(EXPORT | ALL, pro_2pm));
  CHECK_EQUAL(measured.power, 400500);
  CHECK_EQUAL(measured.total, 1400250);
  CHECK_EQUAL(measured.voltage, 231000);
  CHECK_EQUAL(measured.current, 1700);
  CHECK_OK(parse(IMPORT | ALL, pro_2pm));
  CHECK_EQUAL(measured.total, 100250);
}

TEST("looks at the clamps of a meter that has a relay, too") {
  CHECK_OK(parse(EXPORT, em_gen3));
  CHECK_EQUAL(measured.total, 2000);
  CHECK_OK(parse(EXPORT | ALL, em_gen3));
  CHECK_EQUAL(measured.power, 12500);
  CHECK_EQUAL(measured.channels & 0x0F, 2);
}

TEST("calls a switch invalid that comes with errors") {
  CHECK_OK(parse(IMPORT, SWITCH("'apower':1,'aenergy':{'total':5},'errors':['power_meter_failure']")));
  CHECK(!measured.valid);
}

TEST("tells each kind of register from any other, and one that lost a direction from the one that had it") {
  static const char *const answers[] = {em, pro_em, pro_3em, plug_gen1, pm_mini, pm1_mini, plus_1pm};
  uint32_t kinds = 0;
  for (size_t i = 0; i < COUNT(answers); i++) {
    CHECK_OK(parse(IMPORT, answers[i]));
    CHECK((kinds >> (measured.channels >> 4) & 1) == 0);
    kinds |= 1u << (measured.channels >> 4);
  }
}

/* GENERATION */

static enum ww_error recognise(const char *text, enum ww_shelly_generation *generation) {
  return ww_shelly_generation(answer, quote(text), generation);
}

TEST("refuses to name the generation of what is no Shelly") {
  enum ww_shelly_generation generation = WW_SHELLY_GEN2;
  CHECK_EQUAL(recognise("{'type':'SHEM'", &generation), WW_METER_MALFORMED);
  CHECK_EQUAL(recognise("", &generation), WW_METER_MALFORMED);
  CHECK_EQUAL(recognise("{}", &generation), WW_METER_MISSING);
  CHECK_EQUAL(recognise("['type']", &generation), WW_METER_MISSING);
  CHECK_EQUAL(recognise("{'type':null,'gen':null}", &generation), WW_METER_MISSING);
  CHECK_EQUAL(recognise("{'gen':1}", &generation), WW_METER_RANGE);
  CHECK_EQUAL(recognise("{'gen':'2'}", &generation), WW_METER_RANGE);
  CHECK_EQUAL(generation, WW_SHELLY_GEN2);
}

TEST("recognises a Gen1 and asks it for its status") {
  enum ww_shelly_generation generation = WW_SHELLY_GEN2;
  CHECK_OK(
      recognise("{'type':'SHEM','mac':'EC64C9C05E97','auth':false,'fw':'20230913-114150/v1.14.0-gcb84623',"
                "'longid':1,'num_outputs':1,'num_meters':0,'num_emeters':2}",
                &generation));
  CHECK_EQUAL(generation, WW_SHELLY_GEN1);
  CHECK(strcmp(ww_shelly_path(generation), "/status") == 0);
}

TEST("recognises Gen2 and later and asks them by RPC") {
  static const char *const answers[] = {"{'id':'shellyproem50-08f9e0e67204','mac':'08F9E0E67204','gen':2}", "{'gen':3}",
                                        "{'gen':4,'type':'EM'}"};
  for (size_t i = 0; i < COUNT(answers); i++) {
    enum ww_shelly_generation generation = WW_SHELLY_GEN1;
    CHECK_OK(recognise(answers[i], &generation));
    CHECK_EQUAL(generation, WW_SHELLY_GEN2);
    CHECK(strcmp(ww_shelly_path(generation), "/rpc/Shelly.GetStatus") == 0);
  }
}
