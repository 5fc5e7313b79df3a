// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of what is asked of the host: helper programs, processes, KVM, QEMU's version, other
// people's command lines.
#include "vm/attach_private.h"
#include "vm/child.h"
#include "vm/kvm.h"
#include "vm/process.h"
#include "vm/qemu_version.h"
#include "vm/tsc.h"

#include "base/clock.h"
#include "tests/tap.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static int run_shell(const char *script, int timeout_ms, int interrupt_fd, struct gb_buf *out,
		     int *status_ret, struct gb_error *err)
{
	const char *argv[] = {"sh", "-c", script, NULL};
	struct gb_child c = {.argv = argv,
			     .timeout_ms = timeout_ms,
			     .interrupt_fd = interrupt_fd,
			     .out = out,
			     .quiet = true};

	return gb_child_run(&c, status_ret, err);
}

static void helpers(void)
{
	struct gb_buf out = {};
	struct gb_error err = {};
	int status = -1, ends[2];

	CHECK_OK(run_shell("echo a; cat; echo b; exit 3", -1, -1, &out, &status, &err), err);
	CHECK_STR(out.data, "a\nb\n");
	CHECK_EQ(status, 3);
	CHECK_OK(run_shell("kill -9 $$", -1, -1, NULL, &status, &err), err);
	CHECK_EQ(status, 128 + 9);
	CHECK_EQ(run_shell("sleep 60 & sleep 60", 50, -1, NULL, &status, &err), GB_ETIMEOUT);
	gb_assert(pipe(ends) == 0 && write(ends[1], "x", 1) == 1);
	CHECK_EQ(run_shell("sleep 60", -1, ends[0], NULL, &status, &err), GB_ECANCELLED);
	gb_buf_clear(&out);
	CHECK_EQ(run_shell("yes", 20000, -1, &out, &status, &err), GB_ERANGE);
	gb_buf_deinit(&out);
	close(ends[0]);
	close(ends[1]);
	CHECK_EQ(gb_child_run(&(struct gb_child){.argv = (const char *[]){"no-such-program", NULL}},
			      &status, &err),
		 GB_ENOTFOUND);
}

// What a helper started ends with it.
static void helpers_leave_nothing(void)
{
	struct gb_error err = {};
	struct gb_host_process left;
	struct gb_buf out = {};
	int status, fd;
	pid_t pid;

	CHECK_EQ(run_shell("sleep 1000 & echo $!; wait", 200, -1, &out, &status, &err),
		 GB_ETIMEOUT);
	pid = out.data ? atoi(out.data) : 0;
	gb_buf_deinit(&out);
	REQUIRE(pid > 1);
	if (gb_process_identify(pid, &left, NULL) == 0 && gb_process_open(&left, &fd, NULL) == 0) {
		CHECK_OK(gb_pidfd_wait(fd, 2000, &err), err);
		close(fd);
	}
}

static void processes(void)
{
	struct gb_host_process p, q;
	struct gb_error err = {};
	int fd = -1, status;
	pid_t child = fork();

	if (child == 0) {
		signal(SIGTERM, SIG_IGN);
		for (;;)
			pause();
	}
	REQUIRE_OK(gb_process_identify(child, &p, &err), err);
	CHECK(gb_process_alive(&p));
	q = p;
	q.start++;
	CHECK(!gb_process_alive(&q));
	CHECK_EQ(gb_process_open(&q, &fd, &err), GB_EGONE);
	REQUIRE_OK(gb_process_open(&p, &fd, &err), err);
	CHECK_EQ(gb_pidfd_wait(fd, 10, &err), GB_ETIMEOUT);
	// It may not have set its handler yet; SIGKILL follows in both cases.
	CHECK_OK(gb_pidfd_end(fd, 50, &err), err);
	CHECK(!gb_process_alive(&p)); // a zombie until it is reaped
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_OK(gb_pidfd_end(fd, 50, &err), err);
	close(fd);
	CHECK_EQ(gb_process_identify(-1, &p, &err), GB_ENOTFOUND);
	CHECK_EQ(gb_process_identify(child, &p, &err), GB_ENOTFOUND);
}

static void kvm_that_does_not_work(void)
{
	struct gb_error err = {};

	CHECK_EQ(gb_kvm_probe("/nonexistent/kvm", &err), GB_ELACKS);
	CHECK(strstr(err.message, "there is no KVM here"));
	CHECK_EQ(gb_kvm_probe("/dev/null", &err), GB_ELACKS);
	CHECK(strstr(err.message, "no KVM device") && strstr(err.message, "--accel tcg"));
}

// Whatever this machine's answer is, it comes soon and says what to do.
static void kvm_of_this_machine(void)
{
	uint64_t start = gb_clock_ns();
	struct gb_error err = {};
	int r = gb_kvm_probe("/dev/kvm", &err);

	CHECK(r == 0 || (r == GB_ELACKS && strstr(err.message, "--accel tcg")));
	CHECK(gb_clock_ns() - start < 5 * GB_SECOND);
	printf("# /dev/kvm: %s\n", r == 0 ? "works" : err.message);
}

static void versions(void)
{
	unsigned major = 0, minor = 0;

	CHECK_EQ(gb_qemu_version_parse("QEMU emulator version 10.0.2 (Debian 1:10.0.2)\n", &major,
				       &minor, NULL),
		 0);
	CHECK_EQ(major, 10);
	CHECK_EQ(minor, 0);
	CHECK_EQ(gb_qemu_version_parse("Bochs 2.7\n", &major, &minor, NULL), GB_EFORMAT);
	CHECK_EQ(gb_qemu_version_parse("", &major, &minor, NULL), GB_EFORMAT);
}

#define FIND(text, index, ret) gb_attach_socket((text), sizeof(text), (index), (ret))

static void command_lines(void)
{
	static const char plain[] = "qemu-system-x86_64\0-m\0"
				    "64\0-qmp\0unix:/a,,b/q.sock,server=on\0"
				    "--qmp-pretty\0unix:rel.sock";
	static const char devices[] = "q\0-chardev\0socket,id=con,path=/con\0-serial\0chardev:con\0"
				      "-mon\0chardev=mon,mode=control\0"
				      "-chardev\0socket,path=/m.sock,id=mon,server=on\0"
				      "-mon\0chardev=con,mode=readline";
	static const char libvirt[] =
		"q\0-chardev\0socket,id=charmonitor,fd=25,server=on,wait=off\0"
		"-mon\0chardev=charmonitor,id=monitor,mode=control";
	static const char cut[] = "q\0-qmp";
	char path[PATH_MAX];

	CHECK(FIND(plain, 0, path));
	CHECK_STR(path, "/a,b/q.sock");
	CHECK(FIND(plain, 1, path));
	CHECK_STR(path, "rel.sock");
	CHECK(!FIND(plain, 2, path));
	CHECK(FIND(devices, 0, path));
	CHECK_STR(path, "/m.sock");
	CHECK(!FIND(devices, 1, path));
	CHECK(!FIND(libvirt, 0, path));
	CHECK(!FIND(cut, 0, path));
	CHECK(!gb_attach_socket("-qmp\0unix:/x", 12, 0, path)); // the last word is not ended
	CHECK(!gb_attach_socket("", 0, 0, path));
}

static void values(void)
{
	char value[8] = "";

	CHECK(gb_line_value("64M,maxmem=64M,slots=0,maxmem=1G", "maxmem", value, sizeof(value)));
	CHECK_STR(value, "1G");
	CHECK(gb_line_value("maxmem=1,,2", "maxmem", value, sizeof(value)));
	CHECK_STR(value, "1,2");
	// Part of a path, not a key.
	CHECK(!gb_line_value("m,path=/a,,size=2", "size", value, sizeof(value)));
	CHECK(!gb_line_value("size=123456789", "size", value, sizeof(value)));
	CHECK(!gb_line_value("", "size", value, sizeof(value)));
}

#define LINE(text) (&(struct gb_line){(text), sizeof(text)})
#define BACKEND(size) \
	"-object\0{\"qom-type\":\"memory-backend-memfd\",\"id\":\"pc.ram\",\"share\":true," \
	"\"size\":" size "}\0"

// Without a monitor: what is certain is taken, what is not is refused.
static void lines_without_monitor(void)
{
	static const char libvirt[] =
		"q\0-name\0guest=vm1,debug-threads=on\0-S\0-object\0{\"id\":\"masterKey0\"}\0-machine\0"
		"pc-q35-7.2,usb=off,memory-backend=pc.ram\0-accel\0kvm\0-smp\0"
		"2,sockets=2\0" BACKEND("2952785920");
	static const char words[] =
		"q\0-name\0old\0-M\0type=pc,accel=kvm:tcg,memory-backend=m\0-object\0"
		"memory-backend-file,id=m,size=1G,mem-path=/x,share=yes\0-smp\0cpus=3";
	static const char *const refused[] = {"PCI hole", "PCI hole", "PCI hole",   "private",
					      "private",  "private",  "private",    "NUMA",
					      "pc-dimm",  "nvdimm",   "virtio-mem", "PCI hole"};
	const struct gb_line lines[] = {
		*LINE("q\0-machine\0q35,memory-backend=pc.ram\0" BACKEND("2952790016")),
		*LINE("q\0-machine\0q35,memory-backend=pc.ram,max-ram-below-4g=1G\0" BACKEND(
			"2097152")),
		*LINE("q\0-machine\0xenfv,memory-backend=pc.ram\0" BACKEND("2097152")),
		*LINE("q\0-machine\0q35\0" BACKEND("2097152")),
		*LINE("q\0-machine\0q35,memory-backend=other\0" BACKEND("2097152")),
		*LINE("q\0-machine\0q35,memory-backend=pc.ram\0-object\0{\"id\":\"pc.ram\",\"size\":4096}"),
		*LINE("q\0-machine\0q35,memory-backend=pc.ram\0" BACKEND("-4096")),
		*LINE("q\0-machine\0q35\0-numa\0node,nodeid=0,memdev=ram-node0\0"),
		*LINE("q\0-machine\0q35,memory-backend=pc.ram\0-device\0pc-dimm,memdev=m,id=d\0" BACKEND(
			"2097152")),
		*LINE("q\0-machine\0q35,memory-backend=pc.ram\0" BACKEND(
			"2097152") "-device\0id=n,driver=nvdimm,memdev=m\0"),
		*LINE("q\0-machine\0q35,memory-backend=pc.ram\0-device\0{\"driver\":\"e1000\"}\0-device\0"
		      "{\"driver\":\"virtio-mem-pci\",\"memdev\":\"m\"}\0" BACKEND("2097152")),
		*LINE("q\0-M\0q35\0-machine\0xenfv,memory-backend=pc.ram\0" BACKEND("2097152")),
	};
	struct gb_backend b = {};
	struct gb_vm_info info = {};
	struct gb_error err = {};

	REQUIRE_OK(gb_attach_line(LINE(libvirt), &b, &info, &err), err);
	CHECK_EQ(b.size, 2952785920);
	CHECK_EQ(info.layout.count, 1);
	CHECK_EQ(info.layout.segments[0].size, 2952785920);
	CHECK_STR(info.name, "vm1");
	CHECK_STR(info.machine, "pc-q35-7.2");
	CHECK_STR(info.accel, "kvm");
	CHECK_EQ(info.cpus, 2);
	REQUIRE_OK(gb_attach_line(LINE(words), &b, &info, &err), err);
	CHECK_EQ(b.size, 1 << 30);
	CHECK_STR(info.name, "old");
	CHECK_STR(info.machine, "pc");
	CHECK_STR(info.accel, "kvm");
	CHECK_EQ(info.cpus, 3);
	// Later ones win, under either name.
	REQUIRE_OK(gb_attach_line(LINE("q\0-M\0xenfv\0-machine\0memory-backend=pc.ram\0-M\0"
				       "q35\0-machine\0type=pc\0" BACKEND("2097152")),
				  &b, &info, &err),
		   err);
	CHECK_STR(info.machine, "pc");
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		CHECK_EQ(gb_attach_line(&lines[i], &b, &info, &err), GB_ELACKS);
		CHECK(strstr(err.message, refused[i]));
	}
	CHECK_EQ(gb_attach_line(LINE("-machine"), &b, &info, &err), GB_ELACKS);
}

#define MEMORY(words) *LINE("q\0-M\0q35,memory-backend=pc.ram\0" words "\0" BACKEND("67108864"))

// Memory that can be plugged in while QEMU runs is on no command line.
static void lines_that_can_grow(void)
{
	const struct gb_line whole[] = {
		MEMORY("-m\0size=64M"),
		MEMORY("-m\0size=65536k,slots=0,maxmem=65536k"),
		MEMORY("-m\0size=64M,maxmem=67108864"),
		MEMORY("-m\0slots=2,maxmem=1G\0-m\0size=64M,slots=0,maxmem=64M"),
		MEMORY("-M\0memory.max-size=64M"),
	};
	const struct gb_line growing[] = {
		MEMORY("-m\0"
		       "64M,slots=2,maxmem=1G"),
		MEMORY("-m\0size=64M,slots=2,maxmem=1048576k"),
		MEMORY("--m\0maxmem=1G,size=64M"), // virtio-mem needs no slots
		MEMORY("-m\0size=64M\0-m\0slots=2,maxmem=1G"),
		MEMORY("-m\0slots=2,maxmem=1G\0-m\0size=64M"),
		MEMORY("-m\0size=64M,maxmem=64M,maxmem=1G"),
		MEMORY("-m\0size=64M,maxmem=64.5M"),
		MEMORY("-m\0size=64M\0-machine\0memory.max-size=1G,memory.slots=2"),
	};
	struct gb_vm_info info = {};
	struct gb_error err = {};
	struct gb_backend b;

	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		CHECK_OK(gb_attach_line(&whole[i], &b, &info, &err), err);
	for (size_t i = 0; i < sizeof(growing) / sizeof(growing[0]); i++) {
		CHECK_EQ(gb_attach_line(&growing[i], &b, &info, &err), GB_ELACKS);
		CHECK(strstr(err.message, "'-qmp'"));
		CHECK(strstr(err.message, "start it without slots and maxmem"));
	}
	// With a module there already, a monitor would not help.
	CHECK_EQ(
		gb_attach_line(&MEMORY("-m\0size=64M,slots=2,maxmem=1G\0-device\0pc-dimm,memdev=m"),
			       &b, &info, &err),
		GB_ELACKS);
	CHECK(strstr(err.message, "all its RAM with -m") && !strstr(err.message, "-qmp"));
}

// The counter's frequency, against another clock over a longer time.
static void counter(void)
{
	unsigned khz = gb_tsc_khz();

	if (!khz)
		TAP_SKIP("no even time stamp counter here");
	CHECK(khz > 100000 && khz < 20000000);
	printf("# %u kHz\n", khz);
}

TAP_MAIN(TAP_CASE(helpers), TAP_CASE(helpers_leave_nothing), TAP_CASE(processes),
	 TAP_CASE(kvm_that_does_not_work), TAP_CASE(kvm_of_this_machine), TAP_CASE(versions),
	 TAP_CASE(command_lines), TAP_CASE(values), TAP_CASE(lines_without_monitor),
	 TAP_CASE(lines_that_can_grow), TAP_CASE(counter))
