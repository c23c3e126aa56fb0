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

#define GEN1(emeters) "{'mac':'EC64C9C05E97','emeters':[" emeters "]}"
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
  static const char *const answers[] = {em, em_old_firmware, em3, pro_em, pro_3em};
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
