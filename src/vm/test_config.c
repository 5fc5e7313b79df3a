// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of QEMU's command line, of disks' kinds and of forwards.
#include "vm/config.h"

#include "base/file.h"
#include "tests/tap.h"

#include <unistd.h>

#define SET(array, text) snprintf((array), sizeof(array), "%s", (text))

static const struct gb_config base = {
	.guest = "tiny",
	.machine = "q35",
	.accel = "tcg",
	.cpu = "qemu64-v1",
	.memory = 64 << 20,
	.cpus = 1,
	.kernel = "/k/vmlinux",
	.initrd = "/d/initrd",
	.append = "console=ttyS0 a='b c'",
	.control = true,
	.network = true,
	.forwards = {{0, 22}, {8080, 80}},
	.forward_count = 2,
};

static const struct gb_vm_info info = {.name = "n", .dir = "/d", .ram_path = "/d/ram"};

static void whole_line(void)
{
	struct gb_words w;
	struct gb_buf text = {};
	struct gb_error err = {};

	REQUIRE_OK(gb_config_line(&base, &info, &w, &err), err);
	gb_words_quote(&w, &text);
	CHECK_STR(
		text.data,
		"qemu-system-x86_64 -name guest=n,debug-threads=on -nodefaults -no-user-config -display "
		"none -sandbox "
		"on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny -machine "
		"pc-q35-10.0,hpet=off,sata=off,smbus=off,vmport=off,memory-backend=mem -accel tcg -cpu "
		"qemu64-v1 -smp 1 -m 64M -object "
		"memory-backend-file,id=mem,size=64M,mem-path=/d/ram,share=on -chardev "
		"socket,id=console,path=/d/console.sock -serial chardev:console -chardev "
		"socket,id=control,path=/d/control.sock -serial chardev:control -chardev "
		"socket,id=qmp,path=/d/qmp.sock,server=on,wait=off -mon chardev=qmp,mode=control "
		"-chardev socket,id=monitor,path=/d/monitor.sock -mon chardev=monitor,mode=control "
		"-netdev user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:0-:22,hostfwd=tcp:127.0.0.1:8080-:80 "
		"-device virtio-net-pci,romfile=,netdev=net -no-reboot -bios qboot.rom -kernel /k/vmlinux -initrd "
		"/d/initrd -append 'console=ttyS0 a='\\''b c'\\'''");
	CHECK(!w.items[w.count]);
	gb_words_deinit(&w);
	gb_buf_deinit(&text);
}

static bool line_has(const struct gb_config *c, const struct gb_vm_info *i, const char *word)
{
	struct gb_words w = {};
	bool found = false;

	if (gb_config_line(c, i, &w, NULL) != 0)
		return false;
	for (size_t n = 0; n < w.count; n++)
		found = found || strcmp(w.items[n], word) == 0;
	gb_words_deinit(&w);
	return found;
}

static void commas_are_doubled(void)
{
	struct gb_vm_info odd = {.name = "n", .dir = "/a,b", .ram_path = "/a,b/ram"};
	struct gb_config c = base;

	c.media = GB_MEDIA_RAW;
	SET(c.disk, "/x,format=qcow2");
	CHECK(line_has(&c, &odd,
		       "memory-backend-file,id=mem,size=64M,mem-path=/a,,b/ram,share=on"));
	CHECK(line_has(&c, &odd, "socket,id=console,path=/a,,b/console.sock"));
	CHECK(line_has(&c, &odd, "if=none,id=disk,format=raw,file=/x,,format=qcow2"));
}

static void machines(void)
{
	struct gb_config c = base;
	struct gb_error err = {};
	struct gb_words w = {.count = 77};

	SET(c.machine, "microvm");
	CHECK(line_has(&c, &info, "virtio-net-device,netdev=net"));
	CHECK(line_has(&c, &info, "isa-serial,chardev=control,index=1"));
	c.media = GB_MEDIA_CD;
	CHECK_EQ(gb_config_line(&c, &info, &w, &err), GB_EUSAGE);
	SET(c.machine, "vax");
	CHECK_EQ(gb_config_line(&c, &info, &w, &err), GB_EUSAGE);
	CHECK(strstr(err.message, "q35"));
	CHECK_EQ(w.count, 77);
	SET(c.machine, "q35");
	CHECK(line_has(&c, &info, "ide-cd,drive=disk"));
	CHECK(line_has(&c, &info, "if=none,id=disk,format=raw,file=,media=cdrom,readonly=on"));
	*c.kernel = 0;
	CHECK_EQ(gb_config_check(&c, &err), GB_EUSAGE);
	*c.initrd = 0;
	CHECK_OK(gb_config_check(&c, &err), err);
	CHECK(line_has(&c, &info, "VGA"));
	c.memory++;
	CHECK_EQ(gb_config_check(&c, &err), GB_EUSAGE);
}

// Nothing but the forwards that were asked for opens a port; nothing unnamed is there.
static void nothing_unasked(void)
{
	struct gb_config c = base;
	struct gb_words w = {};

	c.forward_count = 0;
	REQUIRE(gb_config_line(&c, &info, &w, NULL) == 0);
	for (size_t i = 0; i < w.count; i++)
		CHECK(!strstr(w.items[i], "tcp:"));
	gb_words_deinit(&w);
	CHECK(line_has(&c, &info, "-nodefaults"));
	c.network = false;
	CHECK(!line_has(&c, &info, "-netdev"));
	// 5-level paging is not in the default CPU models.
	CHECK_STR(gb_config_cpu("tcg"), "qemu64-v1");
}

static void forwards(void)
{
	static const char *const bad[] = {"",        "80",      "80:",          ":80",  "1:0",
					  "65536:1", "1:65536", "a:b",          "1:2,", "1:2;3:4",
					  "-1:2",    "1:2x",    "99999999999:1"};
	struct gb_config c = {};
	struct gb_error err = {};

	REQUIRE_OK(gb_forwards_parse("8080:80,0:22", &c, &err), err);
	CHECK_EQ(c.forward_count, 2);
	CHECK_EQ(c.forwards[0].host, 8080);
	CHECK_EQ(c.forwards[0].guest, 80);
	CHECK_EQ(c.forwards[1].host, 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (gb_forwards_parse(bad[i], &c, &err) != GB_EUSAGE)
			tap_fail_("'%s' was taken", bad[i]);
	CHECK_EQ(gb_forwards_parse(
			 "1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1", &c,
			 &err),
		 GB_EUSAGE);
}

static int detect(const void *bytes, size_t len, off_t at, enum gb_media *ret)
{
	char path[] = "/tmp/test_config.XXXXXX";
	int fd = mkstemp(path), r;

	gb_assert(fd >= 0 && ftruncate(fd, 65536) == 0 &&
		  pwrite(fd, bytes, len, at) == (ssize_t)len);
	close(fd);
	r = gb_media_detect(path, ret, NULL);
	unlink(path);
	return r;
}

static void disks(void)
{
	enum gb_media m = GB_MEDIA_NONE;
	struct gb_error err = {};

	CHECK_EQ(detect("QFI\xfb", 4, 0, &m), 0);
	CHECK_EQ(m, GB_MEDIA_QCOW2);
	CHECK_EQ(detect("CD001", 5, 0x8001, &m), 0);
	CHECK_EQ(m, GB_MEDIA_CD);
	CHECK_EQ(detect("\x55\xaa", 2, 510, &m), 0);
	CHECK_EQ(m, GB_MEDIA_RAW);
	CHECK_EQ(detect("garbage", 7, 0, &m), GB_EFORMAT);
	CHECK_EQ(m, GB_MEDIA_RAW);
	CHECK_EQ(gb_media_detect("/tmp", &m, &err), GB_EFORMAT);
	CHECK_EQ(gb_media_detect("/nonexistent", &m, &err), GB_ENOTFOUND);
	CHECK(strstr(err.message, "debian, tiny"));
}

static void too_many_words(void)
{
	struct gb_words w = {};

	for (int i = 0; i < GB_WORDS_MAX; i++)
		gb_words_add(&w, "%d", i);
	CHECK(!w.failed);
	gb_words_add(&w, "one more");
	CHECK(w.failed);
	CHECK_EQ(w.count, GB_WORDS_MAX);
	gb_words_deinit(&w);
}

TAP_MAIN(TAP_CASE(whole_line), TAP_CASE(commas_are_doubled), TAP_CASE(machines),
	 TAP_CASE(nothing_unasked), TAP_CASE(forwards), TAP_CASE(disks), TAP_CASE(too_many_words))
