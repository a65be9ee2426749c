# Every package that streamrun builds with. scripts/packages.txt lists their Debian names.
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(ZLIB REQUIRED)
find_library(XXHASH_LIBRARY xxhash REQUIRED)
find_library(ZSTD_LIBRARY zstd REQUIRED)
find_library(ROCKSDB_LIBRARY rocksdb REQUIRED)
find_library(RDKAFKA_LIBRARY rdkafka REQUIRED)
# Not the whole of libevent, which loads OpenSSL.
find_library(EVENT_CORE_LIBRARY event_core REQUIRED)
find_library(EVENT_EXTRA_LIBRARY event_extra REQUIRED)
