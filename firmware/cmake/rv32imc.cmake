# The instruction set of an ESP32-C3, bare: its programs run in QEMU, which hands what they print to this machine.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR riscv32)
set(CMAKE_C_COMPILER riscv64-unknown-elf-gcc)
set(CMAKE_C_FLAGS_INIT "--specs=picolibc.specs -march=rv32imc -mabi=ilp32 -fcallgraph-info=su")
string(CONCAT CMAKE_EXE_LINKER_FLAGS_INIT
       "--oslib=semihost --crt0=hosted -Wl,--defsym=__flash=0x80000000,--defsym=__flash_size=0x400000,"
       "--defsym=__ram=0x80400000,--defsym=__ram_size=0x400000")
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_CROSSCOMPILING_EMULATOR
    "qemu-system-riscv32;-M;virt;-cpu;rv32,a=false,f=false,d=false;-bios;none;-nographic;-monitor;none;-serial;none;-semihosting-config;enable=on,target=native;-kernel")
